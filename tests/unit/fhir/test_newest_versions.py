"""One version of each resource (safety.md D9), and each fact once (D11)."""

from __future__ import annotations

import pytest

from cds_service.fhir.status import newest_versions
from cds_service.formats import strict_json
from cds_service.kernel.needs import Resource


def resource(text: str) -> Resource:
    found = strict_json.load(text.encode())
    assert isinstance(found, dict)
    return found


def version(number: str = "", updated: str = "", value: int = 0, ident: str = "o1") -> Resource:
    meta = {name: text for name, text in (("versionId", number), ("lastUpdated", updated)) if text}
    return {"resourceType": "Observation", "id": ident, "meta": meta, "valueInteger": value}


def newest(*versions: Resource) -> tuple[list[object], int]:
    """Values kept, and how many could not be ordered."""
    conflicts: list[Resource] = []
    found = newest_versions(versions, conflicts.append)
    return [resource["valueInteger"] for resource in found], len(conflicts)


def test_d9_the_highest_version_wins_in_any_order() -> None:
    one, two, ten = version("1", value=1), version("2", value=2), version("10", value=10)
    assert [newest(one, ten, two), newest(ten, two, one)] == [([10], 0), ([10], 0)]


def test_d9_opaque_versions_are_ordered_by_time_across_zones() -> None:
    early = version("MTY1", "2024-05-17T10:00:00+02:00", value=1)
    late = version("MTY0", "2024-05-17T09:00:00Z", value=2)
    assert [newest(early, late), newest(late, early)] == [([2], 0), ([2], 0)]


def test_d9_equal_version_numbers_fall_back_to_time() -> None:
    one, two = version("1", "2024-05-17T10:00:00Z", value=1), version("1", "2024-05-18T10:00:00Z", value=2)
    assert newest(two, one) == ([2], 0)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        pytest.param(("", ""), ("", ""), id="no-meta"),
        pytest.param(("1", ""), ("", "2024-05-17T10:00:00Z"), id="each-has-another"),
        pytest.param(("1", ""), ("1", ""), id="equal-versions"),
        pytest.param(("a", "2024-05-17"), ("b", "2024-05-18T10:00:00Z"), id="a-day-is-no-instant"),
        pytest.param(("a", "2024-05-17T10:00:00"), ("b", "2024-05-18T10:00:00Z"), id="no-zone"),
        pytest.param(("1" * 20, ""), ("2" * 20, ""), id="too-long-for-a-counter"),
    ],
)
def test_d9_versions_that_cannot_be_ordered_are_all_kept_and_reported(
    one: tuple[str, str], two: tuple[str, str]
) -> None:
    assert newest(version(*one, value=1), version(*two, value=2)) == ([1, 2], 2)


def test_d9_meta_may_be_anything() -> None:
    odd = {**version(value=1), "meta": "odd"}
    assert newest(odd, {**version(value=2), "meta": {"versionId": 7, "lastUpdated": []}}) == ([1, 2], 2)


def test_d11_the_same_content_twice_is_one() -> None:
    assert newest(version("1", value=1), {**version("1", value=1)}, version("x", value=1)) == ([1], 0)


def test_d11_the_same_object_under_two_keys_is_one() -> None:
    one = version(value=1)
    assert newest(one, one) == ([1], 0)


def test_d11_resources_without_an_id_are_one_when_their_content_is() -> None:
    same = [
        resource('{"resourceType": "Observation", "valueInteger": 1, "valueQuantity": {"value": 2.5}}'),
        resource('{"valueQuantity": {"value": 2.5}, "resourceType": "Observation", "valueInteger": 1}'),
        resource('{"resourceType": "Observation", "valueInteger": 2}'),
    ]
    assert newest(*same) == ([1, 2], 0)


def test_d11_one_id_in_two_types_is_two_resources() -> None:
    assert newest(version(value=1), {**version(value=2), "resourceType": "Condition"}) == ([1, 2], 0)


def test_the_order_of_the_input_is_kept() -> None:
    found = newest(version(value=1, ident="b"), version("1", value=2, ident="a"), version("2", value=3, ident="a"))
    assert found == ([1, 3], 0)


def test_c2_content_that_is_nested_too_deeply_is_equal_to_nothing() -> None:
    deep: dict[str, object] = {}
    for _ in range(100_000):
        deep = {"extension": deep}
    one, two = ({"resourceType": "Observation", "valueInteger": n, "deep": deep} for n in (1, 1))
    assert newest(one, two) == ([1, 1], 0)
