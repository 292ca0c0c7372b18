"""Table I of the threat model: the image and the compose file, read as text, since a check must not need a container engine.

What the lines of the Dockerfile really do is tried by test_image_rehearsal.py.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from typing import Any

import pytest

from cds_service import __version__
from cds_service.web.settings import SCHEMA
from tests.packaging.container import compose, instructions
from tests.packaging.repository import ROOT

DOCKERFILE = instructions()
SHIPPED = [each for each in DOCKERFILE if each.stage == max(one.stage for one in DOCKERFILE)]
SERVICES: dict[str, Any] = compose()["services"]
# Images of other projects, whose file systems are theirs. PostgreSQL can do with a read-only one, HAPI was not tried.
READ_ONLY = sorted(set(SERVICES) - {"hapi"})


def only(word: str) -> str:
    """What the one instruction of that name in the shipped stage says."""
    (found,) = (each.rest for each in SHIPPED if each.word == word)
    return found


# ---- the image


def test_i5_the_image_does_not_run_as_root() -> None:
    user, group = only("USER").split(":")

    assert int(user) > 0
    assert int(group) > 0


def test_i5_nothing_can_be_run_by_a_shell() -> None:
    """The shipped stage has no RUN, which would need a shell, and every command is a list, which needs none."""
    assert [each.rest for each in SHIPPED if each.word == "RUN"] == []
    assert all(json.loads(only(word)) for word in ("ENTRYPOINT", "CMD"))
    assert json.loads(only("HEALTHCHECK").split("CMD ", 1)[1])[0].endswith("/python")


def test_i5_every_base_image_has_a_tag_that_names_its_debian_and_a_place_for_its_digest() -> None:
    defaults = dict(each.rest.split("=", 1) for each in DOCKERFILE if each.stage == 0 and each.word == "ARG")
    bases = [re.fullmatch(r"\$\{(\w+)\}(?: AS \w+)?", each.rest) for each in DOCKERFILE if each.word == "FROM"]

    assert [base and base[1] for base in bases] == ["BUILD_IMAGE", "RUNTIME_IMAGE"]
    assert defaults["BUILD_IMAGE"].partition(":")[2] == "trixie-slim"
    assert re.fullmatch(r".*-debian13:nonroot", defaults["RUNTIME_IMAGE"])


def test_i1_packages_are_installed_by_hash_or_from_what_was_built_here() -> None:
    installs = [
        command
        for each in DOCKERFILE
        if each.word == "RUN"
        for command in each.rest.split("&&")
        if re.search(r"\bpip\b.*\binstall\b", command)
    ]

    assert len(installs) == 3
    assert [one for one in installs if "--require-hashes" not in one and "--no-index" not in one] == []


def test_i1_nothing_is_fetched_but_packages() -> None:
    """ADD takes addresses and unpacks archives; curl and wget run what they find."""
    assert [each.rest for each in DOCKERFILE if each.word == "ADD"] == []
    assert [each.rest for each in DOCKERFILE if re.search(r"\b(curl|wget|https?://)", each.rest)] == []


def test_i5_the_build_sees_the_packages_and_nothing_else_of_the_checkout() -> None:
    copied = {
        source
        for each in DOCKERFILE
        if each.word == "COPY" and "--from" not in each.rest
        for source in shlex.split(each.rest)[:-1]
    }
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()

    assert ignored[0] == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == copied


def test_i5_the_health_check_asks_for_the_port_that_is_served() -> None:
    port = json.loads(only("CMD"))[-1]

    assert f"'127.0.0.1', {port}," in only("HEALTHCHECK")
    assert only("EXPOSE") == port


def test_i5_the_shipped_stage_takes_files_from_the_build_stage_alone() -> None:
    assert all(each.rest.startswith("--from=build ") for each in SHIPPED if each.word == "COPY")


def test_i5_stopping_lets_calls_finish() -> None:
    assert only("STOPSIGNAL") == "SIGTERM"
    assert int(SERVICES["bonecds"]["stop_grace_period"].removesuffix("s")) > 10


def test_the_label_names_this_version() -> None:
    assert f'org.opencontainers.image.version="{__version__}"' in only("LABEL")


# ---- the compose file


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_i5_containers_have_no_capability_and_gain_none(name: str) -> None:
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "pid", "ipc", "devices"} & set(SERVICES[name])


@pytest.mark.parametrize("name", READ_ONLY)
def test_i5_root_file_systems_are_read_only(name: str) -> None:
    assert SERVICES[name]["read_only"] is True


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_i5_ports_are_published_on_loopback_only(name: str) -> None:
    """Neither the service here nor HAPI authenticates its callers."""
    assert [port for port in SERVICES[name].get("ports", []) if not port.startswith("127.0.0.1:")] == []
    assert SERVICES[name].get("network_mode") != "host"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_i5_images_are_named_by_version(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].partition(":")

    assert tag not in {"", "latest"}
    assert tag == "local" if "build" in SERVICES[name] else re.search(r"\d", tag), image


def test_i6_no_secret_stands_in_the_file() -> None:
    """Passwords come from a file, so they are neither here nor in what `docker inspect` prints."""
    said = {f"{name}.{key}": value for name in SERVICES for key, value in SERVICES[name].get("environment", {}).items()}
    suspicious = {key for key in said if re.search(r"PASSWORD|SECRET|TOKEN|KEY", key)}

    assert [key for key in suspicious if not key.endswith("_FILE")] == []
    assert [key for key, value in said.items() if re.search(r"://[^/@\s]*:[^/@\s]*@", value)] == []


def test_i5_the_password_is_shared_by_those_who_need_it_and_only_its_maker_may_write_it() -> None:
    mounts = {
        name: each
        for name in SERVICES
        for each in SERVICES[name].get("volumes", [])
        if each.startswith("database-password:")
    }

    assert {name: each.endswith(":ro") for name, each in mounts.items()} == {
        "bonecds": True,
        "postgres": True,
        "password": False,
    }
    assert SERVICES["password"]["network_mode"] == "none"


@pytest.mark.parametrize(
    ("name", "waits_for"),
    [
        ("bonecds", {"postgres": {"condition": "service_healthy"}}),
        ("postgres", {"password": {"condition": "service_completed_successfully"}}),
        ("loader", {"hapi": {"condition": "service_started"}}),
    ],
)
def test_services_start_in_order(name: str, waits_for: object) -> None:
    assert SERVICES[name]["depends_on"] == waits_for


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_has_a_health_check_or_says_that_it_has_none(name: str) -> None:
    """The service has the one of its image."""
    assert name == "bonecds" or SERVICES[name]["healthcheck"]


def test_named_volumes_are_declared_and_files_of_the_checkout_are_read_only() -> None:
    mounts = [each.split(":") for name in SERVICES for each in SERVICES[name].get("volumes", [])]

    assert {source for source, *_ in mounts if not source.startswith(".")} == set(compose()["volumes"])
    assert [source for source, *rest in mounts if source.startswith(".") and rest[-1] != "ro"] == []
    assert [source for source, *_ in mounts if source.startswith(".") and not (ROOT / source).is_dir()] == []


def test_paths_inside_the_image_are_those_of_the_dockerfile() -> None:
    commands = [SERVICES[name]["entrypoint"] for name in ("password", "loader")]
    made = "\n".join(each.rest for each in SHIPPED)

    assert {command[0] for command in commands} == {"/opt/bonecds/bin/python"}
    assert all((ROOT / command[1].lstrip("/")).is_file() for command in commands)
    assert [
        target
        for name in ("bonecds", "password")
        for target in (each.split(":")[1] for each in SERVICES[name]["volumes"])
        if target != "/deploy" and target not in made
    ] == []


def test_the_service_knows_every_variable_it_is_given() -> None:
    """It refuses to start with one that it does not know."""
    given = {key.removeprefix("BONECDS_").lower() for key in SERVICES["bonecds"]["environment"]}

    assert given - set(SCHEMA["properties"]) == set()


# ---- with the tools that know more, where they are


def test_hadolint_finds_nothing() -> None:
    if not shutil.which("hadolint"):
        pytest.skip("NOT LINTED: hadolint is not installed; only the rules of this file were checked")
    told = subprocess.run(["hadolint", "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert told.stdout == ""
    assert told.returncode == 0


def test_docker_compose_can_read_the_file() -> None:
    if (
        not shutil.which("docker")
        or subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip("NOT READ: there is no `docker compose`; the file was read as YAML only")
    told = subprocess.run(
        ["docker", "compose", "config", "--quiet"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert told.stderr == ""
    assert told.returncode == 0
