"""The value-set files: generated, current, checked when read, and nothing in them that we may not ship."""

import csv
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.cli.import_terminology import FOLDER, MAP, generate, import_terminology
from cds_service.clinical import needs
from cds_service.clinical import terminology as value_sets
from cds_service.clinical.terminology import COLUMNS, INDEX, read, terminology
from cds_service.fhir.codes import Entry
from cds_service.kernel.errors import ContentError, InputError
from cds_service.kernel.needs import Need

TABLE = Path(__file__).parents[4] / "shared" / "reference" / "terminology.csv"
HEADER = "concept,system,code,display,unit_or_strength,route,verified_in,status\n"
PLAN = (FOLDER / MAP).read_text(encoding="utf-8")
SCT = "http://snomed.info/sct"
LOINC = "http://loinc.org"


@pytest.fixture(scope="module")
def table():
    if not TABLE.is_file():
        pytest.skip(f"NOT CHECKED: the research table {TABLE.name} is not beside this checkout")
    return TABLE.read_text(encoding="utf-8")


def shipped():
    for file in sorted(FOLDER.glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                yield file.name, row


def test_files_are_what_the_generator_writes(table):
    for name, text in generate(table, PLAN).items():
        assert text == (FOLDER / name).read_text(encoding="utf-8"), f"{name}: run `bonecds import-terminology`"


def test_no_recalled_code_is_shipped(table):
    recalled = {(r["system"], r["code"]) for r in csv.DictReader(table.splitlines()) if r["status"] != "VERIFIED"}
    assert recalled
    assert [(name, row["code"]) for name, row in shipped() if (row["system"], row["code"]) in recalled] == []


def test_licence_no_snomed_name_outside_the_global_patient_set(table):
    rows = [r for r in csv.DictReader(table.splitlines()) if r["system"] == SCT]
    in_gps = {r["code"] for r in rows if "THO-GPS" in r["verified_in"]}
    assert [
        row["code"] for _, row in shipped() if row["system"] == SCT and row["code"] not in in_gps and row["display"]
    ] == []


@pytest.mark.parametrize("licence", ["snomed-identifier", "ama-identifier", "nhsbsa-ogl-identifier"])
def test_licence_identifiers_stand_without_names_in_optional_files(licence):
    rows = [(name, row["display"]) for name, row in shipped() if row["licence"] == licence]
    assert rows
    assert {("optional", "")} == {(name.partition("_")[0], display) for name, display in rows}


def test_licence_who_titles_and_group_names_are_not_shipped():
    who = [row for _, row in shipped() if row["licence"] == "who-identifier"]
    assert {"http://www.whocc.no/atc"} == {row["system"] for row in who if row["display"]}
    assert {7} == {len(row["code"]) for row in who if row["display"]}


def test_licence_every_row_has_one_that_the_notice_explains():
    notice = (FOLDER / "NOTICE.md").read_text(encoding="utf-8")
    assert set() == {row["licence"] for _, row in shipped() if f"## `{row['licence']}`" not in notice}


def test_loinc_names_are_never_made_up():
    names = [row["display"] for _, row in shipped() if row["system"] == LOINC]
    assert [name for name in names if "not seen" in name] == []


def test_the_index_lists_every_file():
    index = (FOLDER / INDEX).read_text(encoding="utf-8")
    assert {f'name = "{file.name}"' for file in FOLDER.glob("*.csv")} == {
        line for line in index.splitlines() if line.startswith("name")
    }


def test_s6_the_version_changes_with_the_content():
    texts = {"labs.csv": (FOLDER / "labs.csv").read_text(encoding="utf-8")}
    changed = {"labs.csv": texts["labs.csv"].replace("ng/mL", "ug/L", 1)}
    assert read(texts).version == read(texts).version
    assert read(texts).version != read(changed).version
    assert len(terminology().version) == 12


def test_without_the_optional_files_the_rest_still_reads():
    kept = {f.name: f.read_text(encoding="utf-8") for f in FOLDER.glob("*.csv") if not f.name.startswith("optional_")}
    found = read(kept)
    assert {"ms.condition"} == {entry.concept for entry in found.entries(SCT, "24700007")}
    assert found.entries(SCT, "26643006") == ()


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The value sets in a folder of their own, and a reader of them."""
    shutil.copytree(FOLDER, tmp_path / "valuesets")

    def files(package):
        assert package == "cds_service.clinical"
        return tmp_path

    monkeypatch.setattr(value_sets.resources, "files", files)
    terminology.cache_clear()
    yield tmp_path / "valuesets"
    terminology.cache_clear()


def test_optional_files_may_be_taken_out(installed):
    for file in installed.glob("optional_*.csv"):
        file.unlink()
    assert {"ms.condition"} == {entry.concept for entry in terminology().entries(SCT, "24700007")}
    assert terminology().entries(SCT, "26643006") == ()


def test_any_other_file_that_is_missing_is_named(installed):
    (installed / "labs.csv").unlink()
    with pytest.raises(ContentError) as problem:
        terminology()
    assert str(problem.value) == "valuesets/labs.csv: (file): is missing. Run `bonecds import-terminology`."


def test_an_index_that_cannot_be_read_is_named(installed):
    (installed / INDEX).write_text('[[file]]\nname = "labs.csv"\n', encoding="utf-8")
    with pytest.raises(ContentError, match=r"^valuesets/index\.toml: file\.0: "):
        terminology()


GOOD = f"a.b,{LOINC},1-8,,exact,,,,,,,loinc,\n"


NO_CODE = "concept or code is empty or has blanks around it"
TOGETHER = "strength_mg and per go together, and a strength is above 0"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (GOOD.replace(LOINC, "http://loinc.com"), "line 2: system may not be 'http://loinc.com'"),
        (GOOD.replace("exact", "similar"), "line 2: match may not be 'similar'"),
        (GOOD.replace("1-8", ""), f"line 2: {NO_CODE}"),
        (GOOD.replace("1-8", " 1-8"), f"line 2: {NO_CODE}"),
        (GOOD.replace("a.b", ""), f"line 2: {NO_CODE}"),
        (GOOD.replace("exact,,,,,", "exact,x,five,1,,"), "line 2: strength_mg is not a number: 'five'"),
        (GOOD.replace("exact,,,,,", "exact,x,5,,,"), f"line 2: {TOGETHER}"),
        (GOOD.replace("exact,,,,,", "exact,x,,1,,"), f"line 2: {TOGETHER}"),
        (GOOD.replace("exact,,,,,", "exact,x,0,1,,"), f"line 2: {TOGETHER}"),
        (GOOD.replace("exact,,,,,", "exact,x,-1,1,,"), f"line 2: {TOGETHER}"),
        (GOOD.replace("exact,,,,,", "exact,x,5,tablet,,"), "line 2: per may not be 'tablet'"),
        (GOOD.replace("exact,,,,,,", "exact,,,,,oral,"), "line 2: route_class may not be 'oral'"),
        (GOOD + GOOD, "line 3: 1-8 has a.b twice"),
        ("a.b,1-8\n", f"line 2: has 2 cells, not {len(COLUMNS)}"),
    ],
)
def test_a_wrong_row_is_refused_with_file_and_line(line, problem):
    with pytest.raises(ContentError) as refused:
        read({"x.csv": ",".join(COLUMNS) + "\n" + line})
    assert str(refused.value) == f"valuesets/x.csv: {problem}"


@pytest.mark.parametrize("text", ["concept,code\n", ""], ids=["other columns", "an empty file"])
def test_other_columns_are_refused(text):
    with pytest.raises(ContentError) as problem:
        read({"x.csv": text})
    assert str(problem.value) == f"valuesets/x.csv: line 1: has other columns. They are: {', '.join(COLUMNS)}."


def test_a_row_says_everything_it_has():
    line = f"drug.x,{LOINC},1-8,Name,prefix,made up,2.5,mL,solution,systemic,mg,loinc,2.80\n"
    (found,) = read({"x.csv": ",".join(COLUMNS) + "\n" + line}).rows()
    assert found == Entry(
        "drug.x", LOINC, "1-8", "Name", "prefix", "made up", Decimal("2.5"), "mL", "solution", "systemic", "mg", "loinc",
        "2.80",
    )  # fmt: skip


def test_generator_refuses_a_row_that_the_plan_says_nothing_about():
    with pytest.raises(ContentError, match=r"new\.thing: nothing is said about 1-8"):
        generate(f"{HEADER}new.thing,{LOINC},1-8,Name,,,x,VERIFIED\n", PLAN)


def test_generator_takes_verified_rows_only():
    rows = f"{HEADER}lab.ALP,{LOINC},6768-6,Name,U/L,,x,RECALLED\nlab.ALP,{LOINC},1777-2,Name,U/L,,x,VERIFIED\n"
    labs = generate(rows, PLAN)["labs.csv"]
    assert "1777-2" in labs
    assert "6768-6" not in labs


def test_generator_refuses_a_table_with_other_columns():
    with pytest.raises(InputError, match="the table has other columns"):
        generate("concept,code\n", PLAN)


def test_the_command_writes_every_file_and_then_finds_them_current(tmp_path):
    source = tmp_path / "table.csv"
    source.write_text(f"{HEADER}lab.ALP,{LOINC},1777-2,Name,U/L,,x,VERIFIED\n", encoding="utf-8")
    out = tmp_path / "valuesets"
    out.mkdir()
    ran = CliRunner().invoke(import_terminology, [str(source), "--out", str(out)])
    assert ran.exit_code == 0
    assert "labs.csv: 1 rows" in ran.output
    assert CliRunner().invoke(import_terminology, [str(source), "--out", str(out), "--check"]).exit_code == 0
    (out / "labs.csv").write_text("edited by hand", encoding="utf-8")
    stale = CliRunner().invoke(import_terminology, [str(source), "--out", str(out), "--check"])
    assert isinstance(stale.exception, InputError)
    assert "labs.csv" in str(stale.exception)


def test_every_concept_that_a_need_searches_for_has_codes():
    asked = {concept for need in vars(needs).values() if isinstance(need, Need) for concept in need.concepts}
    assert asked
    assert {concept for concept in asked if not terminology().codes(concept)} == set()


def test_every_row_has_a_name_of_the_form_family_dot_name():
    assert {row.concept for row in terminology().rows()} == terminology().names()
    assert {name for name in terminology().names() if "." not in name or "MEASURE" in name} == set()
