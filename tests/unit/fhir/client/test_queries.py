"""The searches a need becomes."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from cds_service.clinical.patient import ALL_NEEDS
from cds_service.clinical.terminology import terminology
from cds_service.fhir.client.dialects import dialect, dialects
from cds_service.fhir.client.queries import medications, ways
from cds_service.fhir.search import codes_of, prefetch
from cds_service.formats.urls import parse_base
from cds_service.kernel.needs import Need

GENERIC = dialect("generic")
LABS, ALL = Need("labs", "Observation", ("lab",)), Need("all", "Condition")
BASE = parse_base("https://ehr.example.org/fhir")


def test_all_of_a_type_is_one_search_by_patient() -> None:
    assert [str(q) for way in ways(ALL, [], "p1", GENERIC) for q in way.queries] == ["Condition?patient=p1&_count=500"]


def test_observations_are_searched_for_by_code_and_then_by_category() -> None:
    by_code, by_category = ways(LABS, ["http://loinc.org|1989-3", "http://loinc.org|2-1"], "p1", GENERIC)
    assert [str(each) for each in by_code.queries] == [
        "Observation?patient=p1&code=http://loinc.org%7C1989-3,http://loinc.org%7C2-1&_count=500"
    ]
    assert str(by_category.queries[0]).startswith("Observation?patient=p1&category=laboratory,imaging,procedure,")
    assert (by_code.caveat, bool(by_category.caveat)) == ("", True)


def test_other_types_have_no_second_way() -> None:
    assert len(ways(Need("reports", "DiagnosticReport", ("dxa",)), ["http://loinc.org|1"], "p1", GENERIC)) == 1


def test_a_dialect_without_count_sends_none() -> None:
    assert "_count" not in str(ways(ALL, [], "p1", dialect("eclinicalworks"))[0].queries[0])


def test_long_lists_of_codes_become_several_searches_of_which_none_is_lost() -> None:
    codes = [f"http://snomed.info/sct|{number}" for number in range(1_000_000, 1_000_200)]
    queries = ways(LABS, codes, "p1", GENERIC)[0].queries
    assert len(queries) > 1
    asked = [code for each in queries for code in parse_qs(urlsplit(str(each)).query)["code"][0].split(",")]
    assert asked == codes
    assert max(len(str(each)) for each in queries) < 2_048


def test_medications_are_searched_for_by_id_together() -> None:
    assert [str(each) for each in medications(["a", "b"]).queries] == ["Medication?_id=a,b"]


@pytest.mark.parametrize("name", dialects())
@pytest.mark.parametrize("need", [each for each in ALL_NEEDS if not each.by_id], ids=lambda each: each.key)
def test_what_is_fetched_is_what_the_prefetch_template_asks_for(name: str, need: Need) -> None:
    """And its address is one that any server can read (IIS: 2,048 bytes)."""
    queries = ways(need, codes_of(need, terminology()), "p1", dialect(name))[0].queries
    template = parse_qs(urlsplit(prefetch([need], terminology())[need.key]).query).get("code", [""])[0]
    codes = [code for each in queries for _, values in each.by[1:] for code in values]
    assert ",".join(codes) == template
    assert all(BASE.covers(BASE.url(str(each))) and len(str(each)) < 2_048 for each in queries)
