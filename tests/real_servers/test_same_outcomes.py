"""The same patient gives the same outcomes, however the record reaches the rules (S6).

Four ways: sent as prefetch, fetched from Medplum, fetched from HAPI FHIR, and read from a file by `bonecds explain`, which
the others are compared with: every rule's verdict, reasons, gaps and values, and every card.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest
import requests

from cds_service.clinical.terminology import terminology
from cds_service.fhir.client.dialects import dialect
from cds_service.fhir.client.fetcher import HttpFetcher, Lanes
from cds_service.fhir.client.fetcher import Server as Registered
from cds_service.formats.urls import parse_base
from tests.real_servers import ways
from tests.real_servers.loading import load
from tests.real_servers.patients import INVENTED, PUBLIC, Json, people
from tests.real_servers.servers import Server
from tests.real_servers.tokens import LOADER_TOKEN, Issuer
from tests.realdata.corpus import DATA

# Far more than a call has: this is about what is found, not how fast.
_SECONDS = 100.0
# On the server beside everybody, with much that rules would find, should it get into another record.
NEIGHBOUR = "gc-very-high-risk-untreated"
# HL7's own example names a Practitioner where R4 has an Organization, and HAPI refuses that.
REFUSED = {"hl7-fhir-r4-core-examples/Patient/pat1": ["MedicationRequest/medrx0301"]}

_absent = pytest.mark.skipif(not DATA.is_dir(), reason=f"the public FHIR data is not beside the checkout ({DATA.name})")
everybody = pytest.mark.parametrize(
    "name", [*INVENTED, *(pytest.param(name, marks=[_absent, pytest.mark.realdata]) for name in PUBLIC)]
)


@cache
def explained(name: str) -> Json:
    return ways.by_explain(people()[name])


@pytest.fixture(scope="module")
def from_medplum(medplum: Server) -> Iterator[HttpFetcher]:
    yield from _fetcher(medplum)


@pytest.fixture(scope="module")
def from_hapi(hapi: Server) -> Iterator[HttpFetcher]:
    yield from _fetcher(hapi)


def _fetcher(server: Server) -> Iterator[HttpFetcher]:
    registered = Registered(parse_base(server.base, insecure=True), dialect("generic"))
    fetcher = HttpFetcher([registered], terminology(), Lanes(), seconds=_SECONDS)
    yield fetcher
    fetcher.close()


@pytest.fixture(scope="module")
def refused_by_hapi(hapi: Server) -> dict[str, list[str]]:
    """Everybody is on HAPI at the same time; what it did not take, by patient."""
    found = {name: load(hapi.base, LOADER_TOKEN, person.bundle) for name, person in people().items()}
    return {name: refused for name, refused in found.items() if refused}


def differences(one: Json, other: Json) -> dict[str, Json]:
    """What is not the same, by rule; and the cards."""
    rules = {
        rule: {"one": one["outcomes"].get(rule), "other": other["outcomes"].get(rule)}
        for rule in one["outcomes"] | other["outcomes"]
        if one["outcomes"].get(rule) != other["outcomes"].get(rule)
    }
    return (
        rules if one["cards"] == other["cards"] else {**rules, "cards": {"one": one["cards"], "other": other["cards"]}}
    )


def assert_same(said: Json, name: str) -> None:
    # else both might say nothing, for want of data
    assert set(said[ways.LOOK_UPS].values()) == {"complete"}, said["problems"]
    assert differences(said, explained(name)) == {}


# --- enough to compare --------------------------------------------------------------------------------------------------
def test_the_invented_patients_alone_are_twenty_and_rules_find_something_in_them() -> None:
    found = Counter(
        rule
        for name in INVENTED
        for rule, outcome in explained(name)["outcomes"].items()
        if outcome["verdict"] == "recommend"
    )
    assert len(INVENTED) >= 20
    assert len(found) >= 25


@_absent
@pytest.mark.realdata
def test_with_the_public_data_there_are_more_than_sixty_of_a_dozen_sources() -> None:
    assert set(people()) == {*INVENTED, *PUBLIC}
    assert len(people()) > 60


# --- the same outcomes --------------------------------------------------------------------------------------------------
@everybody
def test_sent_as_prefetch(name: str) -> None:
    assert_same(ways.by_prefetch(people()[name]), name)


@everybody
def test_fetched_from_medplum(name: str, medplum: Server, from_medplum: HttpFetcher, issuer: Issuer) -> None:
    headers = {"Authorization": f"Bearer {LOADER_TOKEN}"}
    assert requests.delete(medplum.base, headers=headers, timeout=30).status_code == 204
    for each in {NEIGHBOUR, name}:
        assert load(medplum.base, LOADER_TOKEN, people()[each].bundle) == []
    assert_same(ways.by_fetching(people()[name], from_medplum, medplum.base, issuer.token()), name)


@everybody
def test_fetched_from_hapi(
    name: str, hapi: Server, from_hapi: HttpFetcher, refused_by_hapi: dict[str, list[str]], issuer: Issuer
) -> None:
    refused = [problem.partition(":")[0] for problem in refused_by_hapi.get(name, [])]
    assert refused == REFUSED.get(name, []), refused_by_hapi.get(name)
    assert_same(ways.by_fetching(people()[name], from_hapi, hapi.base, issuer.token()), name)


# --- a token that does not reach ----------------------------------------------------------------------------------------
@pytest.mark.usefixtures("refused_by_hapi")
def test_a_dead_token_is_not_permitted_and_never_none_found(
    hapi: Server, from_hapi: HttpFetcher, issuer: Issuer
) -> None:
    token = issuer.token()
    issuer.revoke(token)
    said = ways.by_fetching(people()[NEIGHBOUR], from_hapi, hapi.base, token)
    assert set(said[ways.LOOK_UPS].values()) == {"not-permitted"}


@pytest.mark.usefixtures("refused_by_hapi")
def test_a_scope_that_reaches_conditions_gives_conditions_and_leaves_the_rest_not_permitted(
    hapi: Server, from_hapi: HttpFetcher, issuer: Issuer
) -> None:
    said = ways.by_fetching(people()[NEIGHBOUR], from_hapi, hapi.base, issuer.token("system/Condition.rs"))
    assert {key for key, state in said[ways.LOOK_UPS].items() if state == "complete"} == {"conditions"}
    assert Counter(said[ways.LOOK_UPS].values())["not-permitted"] == len(said[ways.LOOK_UPS]) - 1
