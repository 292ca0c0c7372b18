"""Settings: one file, one variable per key, and nothing ignored."""

import datetime as dt
from pathlib import Path

import pytest

from cds_service.kernel.errors import ContentError
from cds_service.web.app import create_app
from cds_service.web.settings import SCHEMA, Settings, load
from tests.conformance.stub import StubService, one_card

FILE = """
host = "::1"
insecure_public_bind = false
port = 9000
metrics_port = 9090
workers = 2
threads = 8
profile = "uk"
max_body_bytes = 1000
cors_origins = ["https://ehr.example.org"]
on_unassessable = "card"
as_of = "2026-06-15"
site_file = "/etc/bonecds/clinic.toml"
waiting = 3
public_url = "https://cds.example.org"
clients = [{name = "north", issuer = "https://ehr.example.org", jwks_urls = ["https://ehr.example.org/jwks"]}]
replay_store_down = "refuse"
fetch_ms = 1500
sandbox = false
database_url = "sqlite:////var/lib/bonecds/bonecds.sqlite3"
audit_key_file = "/etc/bonecds/audit.key"
former_key_files = ["/etc/bonecds/audit-2025.key"]
admin_key_file = "/etc/bonecds/admin.key"
record_groups = true
silent = true
keep_days = { calls = 2190, comments = 90 }
"""
EVERY = Settings(
    host="::1",
    port=9000,
    metrics_port=9090,
    workers=2,
    threads=8,
    profile="uk",
    site_file=Path("/etc/bonecds/clinic.toml"),
    max_body_bytes=1000,
    cors_origins=("https://ehr.example.org",),
    on_unassessable="card",
    as_of=dt.date(2026, 6, 15),
    waiting=3,
    public_url="https://cds.example.org",
    clients=({"name": "north", "issuer": "https://ehr.example.org", "jwks_urls": ["https://ehr.example.org/jwks"]},),
    replay_store_down="refuse",
    fetch_ms=1500,
    database_url="sqlite:////var/lib/bonecds/bonecds.sqlite3",
    audit_key_file=Path("/etc/bonecds/audit.key"),
    former_key_files=(Path("/etc/bonecds/audit-2025.key"),),
    admin_key_file=Path("/etc/bonecds/admin.key"),
    record_groups=True,
    silent=True,
    keep_days={"calls": 2190, "comments": 90},
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bonecds.toml"
    path.write_text(FILE)
    return path


def test_without_file_and_variables_the_service_is_local():
    found = load(None, {"PATH": "/bin"})
    assert found == Settings()
    assert (found.host, found.port, found.clients, found.database_url) == ("127.0.0.1", 8080, (), "")


def test_every_key_from_the_file(file: Path):
    assert load(file, {}) == EVERY


def test_the_file_may_be_named_by_a_variable(file: Path):
    assert load(None, {"BONECDS_SETTINGS": str(file)}) == EVERY


def test_every_key_from_a_variable():
    environ = {
        "BONECDS_HOST": "::1",
        "BONECDS_INSECURE_PUBLIC_BIND": "false",
        "BONECDS_PORT": "9000",
        "BONECDS_METRICS_PORT": "9090",
        "BONECDS_WORKERS": "2",
        "BONECDS_THREADS": "8",
        "BONECDS_PROFILE": "uk",
        "BONECDS_MAX_BODY_BYTES": "1000",
        "BONECDS_CORS_ORIGINS": "https://ehr.example.org",
        "BONECDS_SANDBOX": "false",
        "BONECDS_ON_UNASSESSABLE": "card",
        "BONECDS_AS_OF": "2026-06-15",
        "BONECDS_SITE_FILE": "/etc/bonecds/clinic.toml",
        "BONECDS_WAITING": "3",
        "BONECDS_PUBLIC_URL": "https://cds.example.org",
        "BONECDS_CLIENTS": '[{name = "north", issuer = "https://ehr.example.org", '
        'jwks_urls = ["https://ehr.example.org/jwks"]}]',
        "BONECDS_REPLAY_STORE_DOWN": "refuse",
        "BONECDS_FETCH_MS": "1500",
        "BONECDS_DATABASE_URL": "sqlite:////var/lib/bonecds/bonecds.sqlite3",
        "BONECDS_AUDIT_KEY_FILE": "/etc/bonecds/audit.key",
        "BONECDS_FORMER_KEY_FILES": "/etc/bonecds/audit-2025.key",
        "BONECDS_ADMIN_KEY_FILE": "/etc/bonecds/admin.key",
        "BONECDS_RECORD_GROUPS": "true",
        "BONECDS_SILENT": "true",
        "BONECDS_KEEP_DAYS": "{ calls = 2190, comments = 90 }",
    }
    assert load(None, environ) == EVERY
    # clients have their own FHIR servers, so these two do not stand together
    assert {name.removeprefix("BONECDS_").lower() for name in environ} == set(SCHEMA["properties"]) - {"fhir_bases"}


def test_fhir_servers_for_callers_who_are_not_registered():
    bases = {"BONECDS_FHIR_BASES": "http://127.0.0.1:8090/fhir, https://ehr.example.org/r4"}
    assert load(None, bases).fhir_bases == ("http://127.0.0.1:8090/fhir", "https://ehr.example.org/r4")


def test_a_variable_wins_over_the_file(file: Path):
    assert load(file, {"BONECDS_PORT": "9001"}).port == 9001


def test_a_variable_lists_origins_with_commas():
    environ = {"BONECDS_CORS_ORIGINS": "https://a.example.org, http://localhost:3000,"}
    assert load(None, environ).cors_origins == ("https://a.example.org", "http://localhost:3000")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BONECDS_PORTT", "9000"),
        ("BONECDS_PORT", "eighty"),
        ("BONECDS_PORT", "0"),
        ("BONECDS_PORT", ""),
        ("BONECDS_PORT", "9000\nworkers = 9"),
        ("BONECDS_HOST", ""),
        ("BONECDS_INSECURE_PUBLIC_BIND", "yes"),
        ("BONECDS_ON_UNASSESSABLE", "500"),
        ("BONECDS_CORS_ORIGINS", "*"),
        ("BONECDS_CORS_ORIGINS", "https://ehr.example.org/"),
        ("BONECDS_PROFILE", "../us"),
        ("BONECDS_AS_OF", "15.6.2026"),
    ],
)
def test_a_variable_that_is_wrong_or_unknown_stops_the_start(name: str, value: str):
    with pytest.raises(ContentError) as problem:
        load(None, {name: value})
    assert problem.value.file == name


@pytest.mark.parametrize("line", ["prot = 1", 'port = "9000"', "[port]\nx = 1", "as_of = 2026-06-15", "port ="])
def test_a_file_that_is_wrong_stops_the_start(tmp_path: Path, line: str):
    path = tmp_path / "bonecds.toml"
    path.write_text(line)
    with pytest.raises(ContentError, match=r"bonecds\.toml"):
        load(path, {})


def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path):
    with pytest.raises(ContentError, match="cannot be read: FileNotFoundError"):
        load(tmp_path / "none.toml", {})


def test_a_day_that_does_not_exist_stops_the_start():
    with pytest.raises(ContentError, match="as_of: is not a day of the calendar"):
        load(None, {"BONECDS_AS_OF": "2026-02-30"})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
def test_item_81_loopback_needs_no_permission(host: str):
    assert load(None, {"BONECDS_HOST": host}).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "ehr.example.org", "localhost.example.org"])  # noqa: S104
def test_item_81_without_authentication_a_public_address_is_refused(host: str):
    with pytest.raises(ContentError, match="no clients are registered") as problem:
        load(None, {"BONECDS_HOST": host})
    assert "insecure_public_bind = true" in str(problem.value)


def test_item_81_a_public_address_can_be_insisted_on():
    environ = {"BONECDS_HOST": "0.0.0.0", "BONECDS_INSECURE_PUBLIC_BIND": "true"}  # noqa: S104
    assert load(None, environ).host == "0.0.0.0"  # noqa: S104


def test_s6_as_of_is_the_day_and_today_only_without_it():
    assert Settings(as_of=dt.date(2020, 2, 29)).day() == dt.date(2020, 2, 29)
    assert abs(Settings().day() - dt.datetime.now(dt.UTC).date()) <= dt.timedelta(days=1)  # noqa: TID251


def test_f7_metrics_need_a_port_of_their_own():
    with pytest.raises(ContentError, match="metrics_port: is the port of the service"):
        load(None, {"BONECDS_PORT": "9000", "BONECDS_METRICS_PORT": "9000"})


def test_item_10_two_services_may_not_share_an_id():
    with pytest.raises(ContentError, match="two services have the same id"):
        create_app(Settings(), [StubService(), StubService(hook="order-sign")], one_card)
