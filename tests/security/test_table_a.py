"""Every token of threat table A, against the check of tokens: one test for each row.

The tokens are data, in `tests/kit/bonecds_kit/forge.py`. What needs two workers, a restart (A14) or the start of a process (A22)
is not here.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bonecds_kit.forge import TABLE
from bonecds_kit.forger import Forger
from cds_service.kernel.errors import NotAuthenticated, StoreUnavailable
from cds_service.security.replay import RecentTokens, ReplayGuard
from tests.security.service import Service

Run = Callable[..., list[Service]]

ROWS = {row.id: row for row in TABLE}


class _Down:
    """A store whose database is gone."""

    def first_use(self, issuer: str, token_id: str, expires: int) -> bool:
        raise StoreUnavailable("no connection")


@pytest.fixture
def run(forger: Forger, new_service: Callable[..., Service]) -> Run:
    """Send the tokens of a row, each forgery to a service that has just started; the services."""

    def run(row: str, **options: object) -> list[Service]:
        services, wrong = [], []
        for forgery in ROWS[row].forgeries:
            service = new_service(**options)
            services.append(service)
            for number, step in enumerate(forgery.steps(forger), start=1):
                status = service.status(step)
                if status not in step.expected:
                    wrong.append(f"{forgery.name}, call {number}: {status}")
        assert wrong == []
        assert services
        return services

    return run


def _reasons(services: list[Service]) -> set[str]:
    return {reason for service in services for reason in service.reasons}


def test_the_table_has_every_row_once() -> None:
    assert [row.id for row in TABLE] == [f"A{number}" for number in range(1, 24)]
    assert all(row.forgeries or row.by_hand for row in TABLE)


def test_a1_a_token_without_a_signature_is_refused(run: Run) -> None:
    assert _reasons(run("A1")) == {"algorithm", "no-token"}


def test_a2_a_public_key_is_no_shared_secret(run: Run) -> None:
    assert _reasons(run("A2")) == {"algorithm"}


def test_a3_only_registered_algorithms_with_the_right_kind_of_key(run: Run) -> None:
    assert _reasons(run("A3")) == {"algorithm", "unknown-key"}


def test_a4_a_foreign_jku_is_never_fetched(run: Run, forger: Forger) -> None:
    services = run("A4")
    assert _reasons(services) == {"foreign-jku"}
    assert [service.fetched for service in services if service.fetched] == []
    assert (forger.jwks.hits, forger.evil.hits) == (0, 0)


def test_a5_a_key_in_the_header_is_not_used(run: Run, forger: Forger) -> None:
    services = run("A5")
    assert [service.reasons for service in services] == [["bad-signature"], ["bad-signature"], ["bad-signature"], []]
    assert forger.evil.hits == 0


def test_a6_an_unknown_key_id_is_refused_after_one_look_at_the_key_set(run: Run) -> None:
    services = run("A6")
    assert _reasons(services) == {"unknown-key"}
    assert max(len(service.fetched) for service in services) == 1


def test_a7_a_new_key_works_once_the_cool_down_is_over(run: Run) -> None:
    (service,) = run("A7")
    assert len(service.fetched) == 2


def test_a8_while_the_key_set_cannot_be_had_the_last_one_serves(run: Run, forger: Forger) -> None:
    services = run("A8")
    assert _reasons(services) == {"unknown-key"}
    assert [service.alarms for service in services] == [[("jwks-fetch-failed", forger.jwks.url)]] * len(services)
    assert forger.evil.hits == 0


def test_a9_exp_must_be_a_number_and_not_past(run: Run) -> None:
    assert _reasons(run("A9")) == {"bad-time", "expired", "malformed"}


def test_a10_a_token_must_not_live_long(run: Run) -> None:
    assert _reasons(run("A10")) == {"bad-time", "lives-too-long"}


def test_a11_iat_must_be_a_number_and_near(run: Run) -> None:
    assert _reasons(run("A11")) == {"bad-time", "not-yet-valid", "lives-too-long"}


def test_a12_a_token_for_another_address_is_refused(run: Run) -> None:
    assert _reasons(run("A12")) == {"other-audience"}


def test_a13_a_list_of_audiences_with_ours_is_accepted(run: Run) -> None:
    assert _reasons(run("A13")) == set()


def test_a14_a_token_works_once(run: Run) -> None:
    assert _reasons(run("A14")) == {"replayed", "bad-signature"}


def test_a15_jti_is_a_string_of_1_to_256_characters(run: Run) -> None:
    assert _reasons(run("A15")) == {"bad-jti"}


def test_a16_without_the_store_of_used_tokens_every_token_is_refused(
    forger: Forger, new_service: Callable[..., Service]
) -> None:
    alarms: list[tuple[str, str]] = []
    service = new_service(seen=ReplayGuard(_Down(), alarm=lambda *event: alarms.append(event)))
    with pytest.raises(NotAuthenticated) as refused:
        service.verify(f"Bearer {forger.good()}")
    assert (refused.value.reason, alarms) == ("replay-store-down", [("replay-store-down", forger.issuer)])


def test_a16_or_accepted_once_with_an_alarm_where_the_operator_chose_so(run: Run, forger: Forger) -> None:
    alarms: list[tuple[str, str]] = []
    recent = RecentTokens(clock=forger.now)
    guard = ReplayGuard(_Down(), replay_store_down="accept", recent=recent, alarm=lambda *event: alarms.append(event))
    assert _reasons(run("A14", seen=guard)) == {"replayed", "bad-signature"}
    assert set(alarms) == {("replay-store-down", forger.issuer)}


def test_a17_a_client_cannot_speak_for_a_tenant_that_is_not_its_own(run: Run) -> None:
    assert _reasons(run("A17")) == {"malformed"}


def test_a18_an_extension_that_must_be_understood_is_refused(run: Run) -> None:
    assert _reasons(run("A18")) == {"crit"}


def test_a19_a_weak_key_in_a_fetched_set_is_not_used(run: Run) -> None:
    (service,) = run("A19")
    assert (service.reasons, len(service.fetched)) == (["unknown-key"], 1)


def test_a20_one_authorization_header_with_one_bearer_token(run: Run) -> None:
    assert _reasons(run("A20")) == {"no-token"}


def test_a21_a_claim_that_stands_twice_is_refused(run: Run) -> None:
    assert _reasons(run("A21")) == {"malformed"}


def test_a23_every_refusal_reads_the_same(forger: Forger, new_service: Callable[..., Service]) -> None:
    service = new_service()
    for row in TABLE:
        for forgery in row.forgeries[:1]:
            for step in forgery.steps(forger):
                service.status(step)
    assert len(set(service.reasons)) > 10
    (sentence,) = {str(refused) for refused in service.refusals}
    assert sentence == (
        "the caller is not authenticated (at Authorization). "
        "Send one valid and unused JWT of a registered client, as a bearer token."
    )
