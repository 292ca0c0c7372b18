"""Content and settings in TOML: every error names file and key; fractions stay decimal."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.formats import strict_toml
from cds_service.kernel.errors import ContentError

SCHEMA = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "limit": {"type": "number", "minimum": 0},
        "count": {"type": "integer"},
        "values": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["value"],
                "additionalProperties": False,
                "properties": {"value": {"type": "number"}},
            },
        },
    },
}


def load(text: str) -> dict[str, object]:
    return strict_toml.load(text, "site.toml", SCHEMA)


def refusal(text: str) -> str:
    with pytest.raises(ContentError) as problem:
        load(text)
    return str(problem.value)


def test_content_that_fits_is_read() -> None:
    text = 'name = "us"\ncount = 3\nvalues = [{ value = 2 }]'
    assert load(text) == {"name": "us", "count": 3, "values": [{"value": 2}]}


@pytest.mark.parametrize(("written", "value"), [("2.50", Decimal("2.50")), ("7.5", Decimal("7.5")), ("-0.1", None)])
def test_fractions_are_decimal_and_count_as_numbers(written: str, value: Decimal | None) -> None:
    text = f'name = "us"\nlimit = {written}'
    if value is None:
        assert refusal(text).startswith("site.toml: limit: ")
    else:
        assert repr(load(text)["limit"]) == repr(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "us"\nnmae = 1', "site.toml: (file): Additional properties are not allowed ('nmae' was unexpected)"),
        ("limit = 1", "site.toml: (file): 'name' is a required property"),
        ("name = 3", "site.toml: name: 3 is not of type 'string'"),
        ('name = "us"\nlimit = "7.5"', "site.toml: limit: '7.5' is not of type 'number'"),
        ('name = "us"\nlimit = true', "site.toml: limit: True is not of type 'number'"),
        ('name = "us"\ncount = true', "site.toml: count: True is not of type 'integer'"),
        ('name = "us"\nlimit = -1', "site.toml: limit: -1 is less than the minimum of 0"),
        ('name = "us"\nlimit = 2020-01-01', "site.toml: limit: datetime.date(2020, 1, 1) is not of type 'number'"),
        (
            'name = "us"\nvalues = [{ value = 1 }, { value = "x" }]',
            "site.toml: values.1.value: 'x' is not of type 'number'",
        ),
        (
            'name = "us"\nvalues = [{ value = 1, vlaue = 2 }]',
            "site.toml: values.0: Additional properties are not allowed ('vlaue' was unexpected)",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_file_and_key(text: str, message: str) -> None:
    assert refusal(text) == message


@pytest.mark.parametrize(
    "text", ['name = "us', 'name: "us"', 'name = "us"\nname = "uk"', "name", 'name = "us"\n[name]\nx = 1']
)
def test_what_is_not_toml_is_refused_with_the_place(text: str) -> None:
    message = refusal(text)
    assert message.startswith("site.toml: (file): not TOML: ")
    assert message.endswith(("(at end of document)", "(at line 1, column 5)", "(at line 2, column 6)"))


def test_of_several_errors_the_same_one_is_named_every_time() -> None:
    assert refusal("name = 1\nlimit = true\ncount = 'x'") == "site.toml: count: 'x' is not of type 'integer'"
