"""`bonecds doctor` on what stands in the settings: key sets, database and key, and settings the service would not start with."""

from __future__ import annotations

from pathlib import Path

import pytest

from bonecds_kit.keyserver import KeyServer
from cds_service.cli import main
from cds_service.cli.given import granted
from cds_service.kernel.errors import InputError
from cds_service.security import fetch as key_fetch
from tests.support.doctored import public_key, run, settings

# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("status-500", "status 500"),
        ("redirect", "status 302"),
        ("html", "not strict JSON"),
        ("duplicate-keys", "not strict JSON"),
        ("huge", "more than 256000 bytes"),
        ("reset", "no connection"),
        ("empty-set", "no key"),
        ("not-a-set", "no key"),
    ],
)
def test_a8_each_fault_of_a_key_set_is_named(tmp_path: Path, fault: str, seen: str) -> None:
    with KeyServer([public_key()]) as server:
        server.fault = fault
        told = run("--settings", str(settings(tmp_path, jwks_urls=[server.url])))
    (found,) = told.of("keys")
    assert (found["level"], bool(found["fix"]), told.status) == ("fail", True, 1)
    assert seen in found["seen"]


def test_a8_a_key_set_that_hangs_is_given_up_when_the_service_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_fetch.fetch, "__kwdefaults__", {"deadline": 0.2, "ca_file": None})
    with KeyServer([public_key()]) as server:
        server.fault = "hang"
        (found,) = run("--settings", str(settings(tmp_path, jwks_urls=[server.url]))).of("keys")
    assert "no answer within" in found["seen"]


# --- database and key ---------------------------------------------------------------------------------------------------


def test_before_the_first_start_there_is_neither_database_nor_key(tmp_path: Path) -> None:
    told = run("--settings", str(settings(tmp_path, jwks={"keys": [public_key()]})))
    assert (told.levels("database"), told.levels("audit-key"), told.status) == (["warn"], ["warn"], 0)
    assert [each.name for each in tmp_path.iterdir()] == ["settings.toml"]


def test_a_key_that_others_may_read_fails(tmp_path: Path) -> None:
    key = tmp_path / "bonecds.sqlite3.key"
    key.write_text("ab" * 32)
    key.chmod(0o644)
    told = run("--settings", str(settings(tmp_path, jwks={"keys": [public_key()]})))
    (found,) = told.of("audit-key")
    assert (found["level"], found["fix"][:9], told.status) == ("fail", "chmod 600", 1)
    assert "abab" not in told.text


def test_a_key_that_is_none_fails_and_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "bonecds.sqlite3.key").write_text("not-a-key-at-all")
    told = run("--settings", str(settings(tmp_path, jwks={"keys": [public_key()]})))
    assert "openssl rand -hex 32" in told.of("audit-key")[0]["fix"]
    assert "not-a-key-at-all" not in told.text


def test_each_file_with_a_secret_is_looked_at_and_none_is_shown(tmp_path: Path) -> None:
    for name, secret, mode in (("admin", "cd", 0o644), ("old", "ef", 0o640), ("older", "01", 0o600)):
        (tmp_path / name).write_text(secret * 32)
        (tmp_path / name).chmod(mode)
    file = settings(tmp_path, jwks={"keys": [public_key()]})
    files = f'admin_key_file = "{tmp_path}/admin"\nformer_key_files = ["{tmp_path}/old", "{tmp_path}/older", "{tmp_path}/gone"]\n'
    file.write_text(files + file.read_text())
    told = run("--settings", str(file))
    assert told.levels("admin-key") == ["warn"]
    assert [told.levels("audit-key", f"former_key_files.{number}") for number in range(3)] == [
        ["warn"],
        ["pass"],
        ["fail"],
    ]
    assert told.of("admin-key")[0]["doc"] == "docs/reports.md#the-page"
    assert [each for each in ("cdcd", "efef", "0101") if each in told.text] == []


def test_silent_mode_is_said(tmp_path: Path) -> None:
    file = settings(tmp_path, jwks={"keys": [public_key()]})
    file.write_text(f"silent = true\n{file.read_text()}")
    (found,) = run("--settings", str(file)).of("silent")
    assert (found["level"], "no card is shown" in found["seen"]) == ("warn", True)


def test_a_file_that_is_no_database_fails_with_a_code_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "bonecds.sqlite3").write_bytes(b"x" * 4096)
    (found,) = run("--settings", str(settings(tmp_path, jwks={"keys": [public_key()]}))).of("database")
    assert (found["level"], found["seen"]) == ("fail", "it cannot be used: SQLITE_NOTADB")


# --- settings and status ----------------------------------------------------------------------------------------------


def test_without_settings_the_defaults_are_looked_at() -> None:
    told = run()
    assert (told.status, told.levels("callers")) == (0, ["warn"])
    assert told.levels("database") == ["skipped"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("prot = 1", "prot"),
        ('[[clients]]\nname = "n"\nissuer = "i"\njwks_urls = ["https://e.example.org/j"]', "public_url"),
        ('fhir_bases = ["http://ehr.example.org"]', "fhir_bases"),
        ('profile = "mars"', "mars"),
    ],
)
def test_settings_that_the_service_would_not_start_with_fail(tmp_path: Path, text: str, place: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    told = run("--settings", str(file))
    (found,) = told.findings
    assert (found["check"], found["level"], told.status) == ("settings", "fail", 1)
    assert place in found["seen"] + found["fix"]
    assert found["fix"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--settings", "absent.toml"),
        ("--client", "south"),
        ("--token-file", "absent.json"),
        ("--token-env", "NO_SUCH_VARIABLE"),
        ("--ca-bundle", "absent.pem"),
        ("--patient", "Patient/1"),
        ("--patient", "1&_count=0"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings(tmp_path, jwks={"keys": [public_key()]})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["bonecds", "doctor", "--settings", "settings.toml", *arguments])
    with pytest.raises(SystemExit) as end:
        main.main()
    told = capsys.readouterr()
    assert (end.value.code, told.out, len(told.err.splitlines())) == (2, "", 1)


def test_a_token_file_that_holds_something_else_is_refused_without_repeating_it(tmp_path: Path) -> None:
    for content in ('{"error": "hunter2"}', "hunter2 and more", '{"access_token": "hunter2', ""):
        (tmp_path / "token").write_text(content)
        with pytest.raises(InputError) as refused:
            granted(tmp_path / "token", None)
        assert "hunter2" not in str(refused.value)


def test_one_client_can_be_looked_at_by_its_name(tmp_path: Path) -> None:
    file = settings(tmp_path, jwks={"keys": [public_key()]})
    second = file.read_text("utf-8").partition("[[clients]]")[2]
    with file.open("a", encoding="utf-8") as more:
        more.write("[[clients]]" + second.replace('"north"', '"south"').replace("ehr.example", "south.example"))
    assert [each["about"] for each in run("--settings", str(file)).of("token")] == ["north", "south"]
    assert [each["about"] for each in run("--settings", str(file), "--client", "south").of("token")] == ["south"]
