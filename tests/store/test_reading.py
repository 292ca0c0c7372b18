"""What a report reads back from a SQLite file and from PostgreSQL, and `bonecds report` on both."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main
from cds_service.kernel.errors import InputError
from cds_service.protocol.feedback import CardOutcome, Feedback, Reason
from cds_service.reports.make import make
from cds_service.reports.rates import Answers, Rate
from cds_service.reports.rows import Asked, Told
from cds_service.store.audit import IssuedCard
from cds_service.store.reading import Reading
from tests.store.conftest import Place
from tests.store.parts import KEY, NOON, Store, record

WARD = "ward 3"
# what must stand on no page
WORDS = "zqSaid Mrs Miller of 4 Church Lane"
RULES = (("GC-01", "1.2", "recommend"),)


def card(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def suggestion(number: int) -> str:
    return f"00000000-0000-4000-9000-{number:012}"


def visit(store: Store, number: int, *, client: str = WARD, display: str = "shown", hours: int = 0) -> None:
    """A call with one card, with one suggestion."""
    given = IssuedCard(
        card(number), "vitamin-d", "info", RULES, ((suggestion(number), "ServiceRequest"),), display=display
    )
    store.audit.record(
        record(
            f"c-{number}",
            time=NOON + dt.timedelta(hours=hours),
            client=client,
            patient_id=f"patient-{number}",
            cards=1,
            rule_set="abc",
            role="Practitioner",
            sex="female",
            age_band="60-69",
            unsure=("VD-01",),
            missing={"dxa": "failed"},
            issued=(given,),
        )
    )


def tell(
    store: Store,
    number: int,
    outcome: CardOutcome = CardOutcome.OVERRIDDEN,
    *,
    client: str = WARD,
    hours: int = 1,
    comment: str = "",
    reason: str = "patient-declined",
) -> None:
    at = NOON + dt.timedelta(hours=hours)
    taken = (suggestion(number),) if outcome is CardOutcome.ACCEPTED else ()
    reasons = () if taken else (Reason(reason, "https://example.org/reasons"),)
    told = Feedback(card(number), outcome, at, taken, reasons, comment)
    store.feedback.keep([told], client=client, service="s", received=at)


def test_a_report_of_what_was_kept(store: Store) -> None:
    for number in range(4):
        visit(store, number)
    visit(store, 4, display="silent")
    visit(store, 5, display="quiet")
    tell(store, 0, CardOutcome.ACCEPTED)
    tell(store, 0, hours=2)
    tell(store, 1)

    found = make(Reading(store.database), Asked())
    assert found.answers == Answers(shown=4, accepted=1, overridden=1)
    assert [(each.name, each.answers) for each in found.by_role] == [("Practitioner", found.answers)]
    assert [(each.name, each.rate) for each in found.reasons] == [
        ("patient-declined (https://example.org/reasons)", Rate(1, 1))
    ]
    assert dict(found.displays) == {"shown": 4, "quiet": 1, "silent": 1}
    assert (found.calls, found.assessed) == (6, 6)
    assert [(each.key, each.state, each.rate) for each in found.missing] == [("dxa", "failed", Rate(6, 6))]
    assert found.silent.by_topic == (("vitamin-d", 1),)


def test_what_another_client_tells_of_a_card_is_not_counted(store: Store) -> None:
    visit(store, 0)
    tell(store, 0, CardOutcome.ACCEPTED, client="ward 4")

    assert make(Reading(store.database), Asked()).answers == Answers(shown=1)
    assert [each for page in Reading(store.database).told(Asked()) for each in page] == [None]


def test_pages_leave_nothing_out_and_give_nothing_twice(store: Store) -> None:
    """Seven rows, two to a page, five of them at the same moment."""
    for number in range(7):
        visit(store, number, hours=max(0, number - 4))
        tell(store, number, hours=20)
    reading = Reading(store.database, page=2)

    calls = [each for page in reading.calls(Asked()) for each in page]
    assert len({each.person.hash for each in calls}) == len(calls) == 7
    assert [each.time for each in calls] == sorted((each.time for each in calls), reverse=True)
    cards = [each for page in reading.cards(Asked()) for each in page]
    assert len({each.person.hash for each in cards}) == len(cards) == 7
    assert all(len(each.told) == 1 for each in cards)
    assert sum(isinstance(each, Told) for page in reading.told(Asked()) for each in page) == 7


def test_only_the_client_and_the_period_that_were_asked_for(store: Store) -> None:
    for number, (client, hours) in enumerate([(WARD, 0), (WARD, 24), (WARD, 48), ("ward 4", 24)]):
        visit(store, number, client=client, hours=hours)
    reading = Reading(store.database)
    since, until = NOON + dt.timedelta(hours=24), NOON + dt.timedelta(hours=48)

    assert make(reading, Asked(since, until)).calls == 2
    found = make(reading, Asked(since, until, WARD))
    assert (found.calls, found.answers.shown) == (1, 1)
    assert make(reading, Asked(client="nobody")).calls == 0


# --- the command --------------------------------------------------------------------------------------------------------
def run(place: Place, *arguments: str) -> Result:
    return CliRunner().invoke(main.bonecds, ["report", *arguments], env={"BONECDS_DATABASE_URL": place.address})


def test_the_command_prints_a_report(place: Place, store: Store) -> None:
    visit(store, 0)
    tell(store, 0, comment=WORDS)
    done = run(place, "--from", "2026-06-15", "--to", "2026-06-15")

    assert done.exit_code == 0, done.output
    assert "Report: 2026-06-15 to 2026-06-15; all clients" in done.stdout
    assert "1/1 = 100 % (21 to 100 %)" in done.stdout
    assert json.loads(run(place, "--format", "json").stdout)["answers"]["shown"] == 1
    assert json.loads(run(place, "--to", "2026-06-14", "--format", "json").stdout)["answers"]["shown"] == 0
    assert json.loads(run(place, "--client", "ward 4", "--format", "json").stdout)["calls"] == 0


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_no_report_shows_a_hash_a_comment_or_a_group_of_few(place: Place, store: Store, form: str) -> None:
    for number in range(12):
        visit(store, number)
    tell(store, 0, comment=WORDS)
    told = run(place, "--format", form).stdout

    assert "zqSaid" not in told
    assert KEY.pseudonym("patient", "https://ehr.example.org", "patient-0") not in told
    assert KEY.pseudonym("user", "https://ehr.example.org", "Practitioner/dr-who") not in told
    assert KEY.id not in told
    # one card of one patient was answered: the only group hides it
    assert ("<11" if form != "html" else "&lt;11") in told


def test_an_export_has_a_line_for_each_telling_with_the_fields_of_the_rule(place: Place, store: Store) -> None:
    visit(store, 0)
    tell(store, 0, CardOutcome.ACCEPTED)
    tell(store, 0, hours=2, comment=WORDS)
    tell(store, 9)
    done = run(place, "--export", "csv")
    last, first = csv.DictReader(io.StringIO(done.stdout))

    assert "left out: 1" in done.stderr
    assert first == {
        "intervention": "GC-01@1.2",
        "topic": "vitamin-d",
        "hook": "patient-view",
        "action": "accepted",
        "suggestions_taken": "ServiceRequest",
        "feedback": "",
        "user": KEY.pseudonym("user", "https://ehr.example.org", "Practitioner/dr-who"),
        "date": "2026-06-15T13:00:00+00:00",
        "received": "2026-06-15T13:00:00+00:00",
        "location": WARD,
    }
    assert (last["action"], last["feedback"]) == ("overridden", "patient-declined (https://example.org/reasons)")
    assert "zqSaid" not in done.stdout


def test_comments_are_exported_where_they_are_asked_for(place: Place, store: Store) -> None:
    visit(store, 0)
    tell(store, 0, comment=WORDS)
    (line,) = run(place, "--export", "ndjson", "--with-comments").stdout.splitlines()
    assert json.loads(line)["comments"] == [WORDS]
    assert "zqSaid" not in run(place, "--export", "ndjson").stdout


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_a_formula(place: Place, store: Store, start: str) -> None:
    visit(store, 0)
    tell(store, 0, comment=f'{start}HYPERLINK("http://x")', reason="-1+1")
    (line,) = csv.DictReader(io.StringIO(run(place, "--export", "csv", "--with-comments").stdout, newline=""))
    assert line["feedback"] == "'-1+1 (https://example.org/reasons)"
    assert line["comments"] == f'\'{start}HYPERLINK("http://x")'


def test_a_report_goes_into_a_file(place: Place, store: Store, tmp_path: Path) -> None:
    visit(store, 0)
    target = tmp_path / "report.html"
    done = run(place, "--format", "html", "--out", str(target))
    assert (done.exit_code, done.stdout) == (0, "")
    told = target.read_text("utf-8")
    assert told.count("<svg") == 2
    assert "<script" not in told
    assert "http" not in told.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "2026-06-16", "--to", "2026-06-15"), "the last day is before the first"),
        (("--export", "csv", "--format", "json"), "two things"),
        (("--with-comments",), "a report has no comments"),
        (("--out", "/absent/folder/report"), "the file cannot be written: FileNotFoundError"),
    ],
)
def test_what_makes_no_sense_is_said(place: Place, store: Store, arguments: tuple[str, ...], said: str) -> None:
    done = run(place, *arguments)
    assert isinstance(done.exception, InputError)
    assert said in str(done.exception)
