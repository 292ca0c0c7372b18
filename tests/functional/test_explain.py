"""`bonecds explain`: the contract of its JSON, its exit codes, and an explanation that people can read."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main
from cds_service.clinical import content, profiles
from cds_service.protocol import validate
from cds_service.review.story import bundle_text, resources
from hooks.patient_view import SERVICE
from tests.support.golden import AS_OF, FOLDER, Json

ON_STEROIDS: Json = {
    "sex": "female",
    "age": 66,
    "menopause": "yes",
    "steroids": [{"drug": "prednisone", "mg": 7.5, "taken": 120}],
    "fractures": [{"site": "hip", "low_trauma": True, "ago": "2 years"}],
    "frax": {"mof": 21, "hip": 4, "ago": "30 days"},
}
NOT_CONCERNED: Json = {"sex": "male", "age": 30}
DAY = AS_OF.isoformat()


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A file with a patient on steroids after a hip fracture."""
    return saved(tmp_path, ON_STEROIDS)


def saved(folder: Path, story: Json) -> Path:
    file = folder / "bundle.json"
    file.write_text(bundle_text(story), "utf-8")
    return file


def run(file: Path, *options: str) -> Result:
    result = CliRunner().invoke(main.bonecds, ["explain", str(file), "--as-of", DAY, *options], catch_exceptions=False)
    assert (result.exit_code, result.stderr) == (0, "")
    return result


def told(file: Path, *options: str) -> Json:
    return dict(json.loads(run(file, "--format", "json", *options).stdout))


def outcome(answer: Json, rule: str) -> Json:
    return next(dict(each) for each in answer["outcomes"] if each["rule"] == rule)


# --- JSON ------------------------------------------------------------------------------------------------------------
def test_the_answer_has_the_keys_of_the_contract(given: Path) -> None:
    answer = told(given)
    assert list(answer) == ["as_of", "profile", "rule_set", "outcomes", "cards", "unread"]
    assert {tuple(each) for each in answer["outcomes"]} == {("rule", "verdict", "because", "missing", "values")}
    assert (answer["as_of"], answer["profile"], answer["rule_set"]) == (DAY, "us", SERVICE.clinic.version)


def test_every_rule_of_the_profile_that_is_not_a_preview_answers_once(given: Path) -> None:
    site = profiles.profile("us")
    on = [r.id for r in SERVICE.rules if set(r.sets) & set(site.sets) and r.status.value == "stable"]
    assert sorted(each["rule"] for each in told(given)["outcomes"]) == sorted(on)


def test_rules_answer_in_the_order_of_the_guidelines_of_the_site(given: Path) -> None:
    sets = {rule.id: rule.sets for rule in SERVICE.rules}
    order = profiles.profile("us").sets
    places = [min(order.index(s) for s in sets[each["rule"]] if s in order) for each in told(given)["outcomes"]]
    assert places == sorted(places)


def test_an_outcome_says_its_verdict_why_and_what_was_computed(given: Path) -> None:
    very_high = outcome(told(given), "GC-04")
    assert (very_high["verdict"], very_high["missing"]) == ("satisfied", [])
    assert very_high["values"] == {"class": "very_high", "cum12_mg": 900}
    assert "osteoporotic fracture in adult life: yes" in very_high["because"]


def test_computed_numbers_are_json_numbers(given: Path) -> None:
    values = outcome(told(given), "GC-01")["values"]
    assert (values["pred_eq_mg_per_day"], values["gc_days_so_far"]) == (7.5, 120)


def test_s3_what_is_missing_stands_with_its_reason(tmp_path: Path) -> None:
    story = {"age": 66, "conditions": ["multiple sclerosis"]}
    missing = outcome(told(saved(tmp_path, story)), "DX-03")["missing"]
    assert "Not on record: recorded sex" in missing


def test_e3_cards_are_those_of_cds_hooks(given: Path) -> None:
    cards = told(given)["cards"]
    assert len(cards) > 0
    assert validate.violations_of_response({"cards": cards}) == []


def test_s1_a_patient_of_whom_there_is_nothing_to_say_has_no_cards(tmp_path: Path) -> None:
    answer = told(saved(tmp_path, NOT_CONCERNED))
    assert answer["cards"] == []
    assert {each["verdict"] for each in answer["outcomes"]} <= {"not-applicable", "cannot-tell", "satisfied"}


def test_what_was_set_aside_is_listed_with_its_reason(tmp_path: Path) -> None:
    bundle = json.loads(bundle_text({**ON_STEROIDS, "edss": 6}))
    edss = next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Observation")
    edss["status"] = "entered-in-error"
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(bundle), "utf-8")
    answer = told(file)
    assert [sorted(each) for each in answer["unread"]] == [["reason", "resource"]] * len(answer["unread"])
    assert {"resource": "Observation: entered-in-error", "reason": "status, 1"} in answer["unread"]


def test_s6_the_same_file_gives_the_same_text(given: Path) -> None:
    assert run(given, "--format", "json").stdout == run(given, "--format", "json").stdout


def test_s6_as_of_is_the_day_that_counts(given: Path) -> None:
    days = {day: outcome(told(given, "--as-of", day), "GC-01")["values"] for day in ("2026-06-14", "2026-06-15")}
    assert [values["gc_days_so_far"] for values in days.values()] == [119, 120]


def test_without_as_of_the_day_is_today(given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cds_service.cli.explain.today", lambda: AS_OF)
    result = CliRunner().invoke(main.bonecds, ["explain", str(given), "--format", "json"], catch_exceptions=False)
    assert json.loads(result.stdout)["as_of"] == DAY


# --- only ------------------------------------------------------------------------------------------------------------
def test_only_runs_the_named_sets_and_their_preview_rules(given: Path) -> None:
    ms = [rule.id for rule in SERVICE.rules if "ms" in rule.sets]
    assert [each["rule"] for each in told(given, "--only", "ms")["outcomes"]] == ms
    both = {rule.id for rule in SERVICE.rules if {"ms", "bhof_iscd"} & set(rule.sets)}
    assert {each["rule"] for each in told(given, "--only", " bhof_iscd, ms,")["outcomes"]} == both
    assert "preview" in {rule.status.value for rule in SERVICE.rules if rule.id in both}


@pytest.mark.parametrize("name", sorted(content.guideline_sets()))
def test_every_set_of_the_rule_book_may_be_named(given: Path, name: str) -> None:
    own = [rule.id for rule in SERVICE.rules if name in rule.sets]
    assert [each["rule"] for each in told(given, "--only", name)["outcomes"]] == own


# --- forms of input --------------------------------------------------------------------------------------------------
def written(form: str) -> bytes:
    record = resources(ON_STEROIDS)
    lines = "\n".join(json.dumps(resource) for resource in record)
    return {
        "bundle.json": bundle_text(ON_STEROIDS).encode(),
        "list.json": json.dumps(record).encode(),
        "pretty.json": json.dumps(json.loads(bundle_text(ON_STEROIDS)), indent=2).replace("\n", "\r\n").encode(),
        "marked.json": b"\xef\xbb\xbf" + bundle_text(ON_STEROIDS).encode(),
        "bundle.json.gz": gzip.compress(bundle_text(ON_STEROIDS).encode()),
        "packed-without-saying-so.json": gzip.compress(bundle_text(ON_STEROIDS).encode()),
        "record.ndjson": lines.encode(),
        "blank-lines.ndjson": f"\n{lines.replace(chr(10), chr(13) + chr(10) * 2)}\n\n".encode(),
        "marked.ndjson": b"\xef\xbb\xbf" + lines.encode(),
        "record.ndjson.gz": gzip.compress(lines.encode()),
    }[form]


FORMS = (
    "bundle.json", "list.json", "pretty.json", "marked.json", "bundle.json.gz", "packed-without-saying-so.json",
    "record.ndjson", "blank-lines.ndjson", "marked.ndjson", "record.ndjson.gz",
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_record_may_come_in_many_forms(given: Path, form: str) -> None:
    file = given.with_name(form)
    expected = told(given)
    file.write_bytes(written(form))
    assert told(file) == expected


# --- text ------------------------------------------------------------------------------------------------------------
def test_the_text_begins_with_day_profile_version_and_scope(given: Path) -> None:
    lines = run(given).stdout.splitlines()
    assert lines[:2] == [
        f"Bone health, as of {DAY}, profile us, rule set {SERVICE.clinic.version}",
        "In one of the two groups (MS, glucocorticoids): yes",
    ]


def test_the_text_shows_the_cards_first_as_the_ehr_gets_them(given: Path) -> None:
    card = told(given)["cards"][0]
    text = run(given).stdout
    assert f"\n# Cards\n\n[{card['indicator']}] {card['summary']}\n\n    **Why now**\n" in text
    assert text.index("# Cards") < text.index("# Rules")


def test_the_text_shows_each_rule_as_a_tree_with_evidence_dates_and_citations(given: Path) -> None:
    """The part that a reviewer reads: is it so, what was found, compared with what, and where it stands."""
    text = run(given).stdout
    rule = text[text.index("GC-04 very high risk: satisfied") :].split("\n\n")[0]
    assert rule.splitlines()[1] == "  yes       all of"
    assert "yes       age at least 40 [66] (ACR 2022, Table 1)" in rule
    assert "Fracture: hip, low trauma (2024-06-15)  <Condition/condition-2>" in rule
    assert "not known lowest T-score -3.5 or lower (ACR 2022, Table 1)" in rule
    assert "no        at least 5000 mg prednisolone-equivalent in the last 365 days [900] (ACR 2022, Table 1)" in rule
    assert rule.splitlines()[-2:] == ["  class = very_high", "  cum12_mg = 900"]


def test_the_text_says_what_would_satisfy_a_rule_and_what_is_missing(tmp_path: Path) -> None:
    text = run(saved(tmp_path, {"age": 66, "sex": "female", "conditions": ["multiple sclerosis"]})).stdout
    rule = text[text.index("MS-01 bone health not assessed in ms: recommend") :].split("\n\n")[0]
    assert "\n  satisfied by\n    no        DXA within the window" in rule
    undecided = text[text.index(": cannot-tell") :].split("\n\n")[0]
    assert "\n  missing: " in undecided


def test_rules_that_recommend_come_first_and_those_that_do_not_apply_last(given: Path) -> None:
    rules = [line.rpartition(": ") for line in run(given).stdout.partition("# Rules")[2].splitlines()]
    order = ["recommend", "cannot-tell", "satisfied", "not-applicable"]
    verdicts = [verdict for name, _, verdict in rules if verdict in order and name[:1].isupper()]
    assert verdicts == sorted(verdicts, key=order.index)
    assert len(verdicts) == len(told(given)["outcomes"])


@pytest.mark.parametrize(
    ("story", "reason"),
    [
        (NOT_CONCERNED, ""),
        ({**ON_STEROIDS, "deceased": True}, "No card is given: the patient has died."),
        ({**ON_STEROIDS, "age": 17}, "No card is given: adult rules only."),
    ],
    ids=["nothing-to-say", "deceased", "under-age"],
)
def test_s1_the_text_says_why_there_is_no_card_and_never_that_all_is_well(
    tmp_path: Path, story: Json, reason: str
) -> None:
    text = run(saved(tmp_path, story)).stdout
    assert "# Cards" not in text
    section = text[text.index("# Why no card") : text.index("# Rules")].split("\n")
    assert [line for line in section if line] == [
        "# Why no card",
        *([reason] if reason else []),
        "No rule had advice. That is not a statement that bone health is fine.",
    ]


def test_the_text_lists_what_was_set_aside(tmp_path: Path) -> None:
    bundle = json.loads(bundle_text(ON_STEROIDS))
    odd = {"resourceType": "Observation", "id": "o9", "status": "final", "subject": {"reference": "Patient/p1"}}
    bundle["entry"].append({"resource": odd | {"code": {"text": "Vitamin D, 25-OH"}, "valueString": "low"}})
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(bundle), "utf-8")
    section = run(file).stdout.partition("# Set aside\n\n")[2].splitlines()
    assert section == ["- Observation/o9: looks like a bone or vitamin D result but has no mapped code"]


def test_e1_the_terminal_gets_words_and_no_backslashes_or_control_characters(tmp_path: Path) -> None:
    bundle = json.loads(bundle_text({**ON_STEROIDS, "dxa": {"t": {"neck": -2.7}}}))
    for entry in bundle["entry"]:
        for concept in ("code", "bodySite"):
            if concept in entry["resource"]:
                entry["resource"][concept]["text"] = "left *hip*\x1b[31m"
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(bundle), "utf-8")
    text = run(file).stdout
    assert [character for character in text if character in "\\\x1b"] == []


# --- refusals --------------------------------------------------------------------------------------------------------
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run as the console does; the one line on stderr."""
    monkeypatch.setattr(sys, "argv", ["bonecds", "explain", *arguments])
    with pytest.raises(SystemExit) as end:
        main.main()
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (2, "")
    return err


NAME = "Doe-Canary"
PATIENT = f'{{"resourceType": "Patient", "id": "p1", "birthDate": "1960-01-01", "name": [{{"family": "{NAME}"}}]}}'
OF_ANOTHER = '{"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p2"}}'
PACKED = gzip.compress(PATIENT.encode())
FILES: dict[str, tuple[bytes, str]] = {
    "empty.json": (b"", "the body is not valid JSON (at line 1, column 1)."),
    "words.json": (f"{NAME} was here".encode(), "the body is not valid JSON (at line 1, column 1)."),
    "cut-off.json": (PATIENT.encode()[:-9], "the body is not valid JSON (at line 1, column "),
    "twice.json": (b'{"id": 1, "id": 2}', "an object has the same key twice (at 'id')."),
    "utf-16.json": (PATIENT.encode("utf-16"), "the body is not valid JSON (at line 1, column 1)."),
    "number.json": (b"3", "no Patient resource was found."),
    "no-patient.json": (OF_ANOTHER.encode(), "no Patient resource was found."),
    "two.json": (f"[{PATIENT},{PATIENT.replace('p1', 'p2')}]".encode(), "2 Patient resources were found."),
    "no-id.json": (PATIENT.replace('"id": "p1", ', "").encode(), "the Patient has no id."),
    "mixed.json": (
        f"[{PATIENT},{OF_ANOTHER}]".encode(),
        "resources of another patient or another server are among the data (at Condition 1).",
    ),
    "line.ndjson": (f"{PATIENT}\n{{oops}}\n".encode(), "the body is not valid JSON (at line 2)."),
    "none.ndjson": (b"\n\n", "no Patient resource was found."),
    "cut-off.json.gz": (PACKED[:-9], "the file cannot be read: EOFError (at cut-off.json.gz)."),
    "damaged.json.gz": (PACKED[:10] + b"\xff" * 20, "the file cannot be read: error (at damaged.json.gz)."),
    "checksum.json.gz": (PACKED[:-8] + b"\0" * 8, "the file cannot be read: BadGzipFile (at checksum.json.gz)."),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_used_is_one_clear_line_without_what_it_holds(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raw, problem = FILES[name]
    (tmp_path / name).write_bytes(raw)
    line = refused(monkeypatch, capsys, str(tmp_path / name))
    assert line.startswith(f"bonecds: {problem}")
    assert (line.count("\n"), NAME in line) == (1, False)


def test_a_file_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(monkeypatch, capsys, str(tmp_path / "absent.json"))
    assert line == "bonecds: the file cannot be read: FileNotFoundError (at absent.json).\n"


def test_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(monkeypatch, capsys, str(tmp_path))
    assert line == f"bonecds: the file cannot be read: IsADirectoryError (at {tmp_path.name}).\n"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--profile", "mars"], "there is no profile 'mars' (at profile). Choose one of: ca, uk, us."),
        (["--profile", "../us"], "there is no profile '../us' (at profile). Choose one of: ca, uk, us."),
        (["--only", "acr2022,acr1999,xyz"], "unknown guideline set 'acr1999, xyz' (at --only). Known: aace2020, "),
        (["--only", "ACR2022"], "unknown guideline set 'ACR2022' (at --only). Known: aace2020, "),
        (["--only", ""], "unknown guideline set '' (at --only). Known: aace2020, "),
        (["--only", " , "], "unknown guideline set '' (at --only). Known: aace2020, "),
        (
            ["--hook", "order-dispatch"],
            "no service answers the hook 'order-dispatch' (at --hook). Served: order-select, ",
        ),
        (
            ["--hook", "order-sign"],
            "draft orders go with the order hooks (at --draft-orders). Give --draft-orders FILE ",
        ),
        (
            ["--hook", "order-select", "--draft-orders", str(FOLDER / "gc-assessment-due/cards.json")],
            "no order was found (at ",
        ),
        (
            ["--hook", "order-select", "--draft-orders", str(FOLDER / "README.md")],
            "the body is not valid JSON (at line 1",
        ),
        (["--draft-orders", "orders.json"], "draft orders go with the order hooks (at --draft-orders). Give "),
        (["--as-of", "1990-01-01"], "the rule book holds from "),
    ],
)
def test_an_option_that_cannot_be_used_is_one_clear_line(
    given: Path,
    options: list[str],
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = refused(monkeypatch, capsys, str(given), *options)
    assert said.startswith(f"bonecds: {line}")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--as-of", "2026-13-01"], "Invalid value for '--as-of': '2026-13-01' does not match"),
        (["--as-of", "2026-02-30"], "Invalid value for '--as-of': '2026-02-30' does not match"),
        (["--as-of", "yesterday"], "Invalid value for '--as-of': 'yesterday' does not match"),
        (["--format", "xml"], "Invalid value for '--format': 'xml' is not one of 'text', 'json'."),
        (["--nope"], "No such option"),
        (["another.json"], "Got unexpected extra argument (another.json)"),
    ],
)
def test_an_option_written_wrongly_is_one_clear_line(
    given: Path,
    options: list[str],
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = refused(monkeypatch, capsys, str(given), *options).splitlines()
    assert len(said) == 1
    assert said[0].startswith(f"bonecds: {line}")
