"""The environment of the image, made by the lines of the Dockerfile themselves and tried. Needs no container engine.

`make image-rehearsal` runs it: it installs 44 packages twice, which takes minutes, so it is no part of `make test`. What it cannot
try: the base images, and what an engine does with USER, volumes and HEALTHCHECK.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.container import instructions
from tests.packaging.repository import PACKAGES, ROOT, files

pytestmark = pytest.mark.skipif(
    "REHEARSE_IMAGE" not in os.environ, reason="NOT REHEARSED: takes minutes; run `make image-rehearsal`"
)

USER = next(each.rest for each in reversed(instructions()) if each.word == "USER")
# As in the image first, then others; a Python in somebody's home directory is of no use to another user.
PYTHONS = [*(f"/usr/bin/python3.{minor}" for minor in (13, 12, 11, 14)), sys.executable]
ISOLATED = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"]
DROPPED = ["setpriv", f"--reuid={USER.split(':')[0]}", f"--regid={USER.split(':')[1]}", "--clear-groups",
           "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]  # fmt: skip

# Run as the image's user: serves, is asked by the image's own HEALTHCHECK, answers a scenario, stops.
SELF_TEST = """
import http.client, json, os, pathlib, subprocess, sys, time
home, health, cmd, scenario = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3]), pathlib.Path(sys.argv[4])
effective = next(line for line in open("/proc/self/status") if line.startswith("CapEff")).split()[1]
told = {"uid": os.getuid(), "capabilities": int(effective, 16)}
told["written"] = []
for folder in (home, home / "lib", pathlib.Path("/etc")):
    try:
        (folder / "written").touch()
        told["written"].append(str(folder))
    except OSError:
        pass
service = subprocess.Popen([str(home / "bin" / "bonecds"), *cmd], stderr=subprocess.PIPE, text=True)
deadline = time.monotonic() + 90
while subprocess.run(health, stderr=subprocess.DEVNULL).returncode and time.monotonic() < deadline and service.poll() is None:
    time.sleep(0.2)
told["healthy"] = subprocess.run(health).returncode == 0
if told["healthy"]:
    call = http.client.HTTPConnection("127.0.0.1", 8080, timeout=30)
    body = (scenario / "request.json").read_bytes()
    call.request("POST", "/cds-services/bone-health-patient-view", body, {"Content-Type": "application/json"})
    told["cards"] = json.loads(call.getresponse().read())
service.terminate()
told["lines"] = service.communicate(timeout=30)[1][-2000:]
told["stopped"] = service.returncode
told["left behind"] = os.listdir(os.environ["TMPDIR"])
print(json.dumps(told))
"""


def usable(python: str) -> bool:
    """New enough, able to make environments, and one that another user may run."""
    if not Path(python).exists():
        return False
    asked = [python, "-c", "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"]
    ask = [*DROPPED, *asked] if os.geteuid() == 0 and shutil.which("setpriv") else asked
    return subprocess.run(ask, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that another user may enter, which those of pytest are not."""
    made = Path(tempfile.mkdtemp(prefix="bonecds-rehearsal-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def image(place: Path) -> Path:
    """The environment as the image has it. The lines are those of the Dockerfile; only places and Python are ours."""
    python = next((each for each in PYTHONS if usable(each)), None)
    if python is None:
        pytest.skip(f"NOT REHEARSED: none of {', '.join(PYTHONS)} can be run by another user")
    for path in [
        *files(*PACKAGES),
        *(ROOT / name for name in ("requirements.lock", "pyproject.toml", "README.md", "LICENSE")),
    ]:
        target = place / "src" / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (place / "opt").mkdir()
    lines = [each.rest for each in instructions() if each.word == "RUN" and "apt-get" not in each.rest]
    script = "\n".join(lines).replace("/opt/", f"{place}/opt/").replace("python3.13 -m", f"{python} -m")
    made = subprocess.run(["sh", "-ec", script], cwd=place / "src", capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr[-3000:]
    return place / "opt" / "bonecds"


def test_i5_the_rehearsal_runs_the_lines_that_install() -> None:
    """If these words left the Dockerfile, the rehearsal would try something else."""
    lines = " ".join(each.rest for each in instructions() if each.word == "RUN")

    assert lines.count("python3.13 -m venv") == 2
    assert "/opt/bonecds" in lines


def test_i5_neither_pip_nor_what_only_builds_is_in_the_image(image: Path) -> None:
    """Whatever is installed is asked for by the service, directly or not."""
    ask = (
        "import importlib.metadata as metadata, json\n"
        "print(json.dumps({each.metadata['Name']: each.requires or [] for each in metadata.distributions()}))"
    )
    told = subprocess.run([image / "bin" / "python", "-c", ask], capture_output=True, text=True, check=True)
    there = {canonicalize_name(name): requires for name, requires in json.loads(told.stdout).items()}
    needed, todo = set(), [("bonecds", "postgresql")]
    while todo:
        each = todo.pop()
        if each not in needed and each[0] in there:
            needed.add(each)
            wants = [Requirement(text) for text in there[each[0]]]
            asked = [one for one in wants if not one.marker or one.marker.evaluate({"extra": each[1]})]
            todo += [(canonicalize_name(one.name), extra) for one in asked for extra in ("", *one.extras)]

    assert set(there) - {name for name, _ in needed} == set()
    assert not list(image.glob("bin/pip*"))


def test_i5_every_module_is_compiled_since_a_read_only_image_cannot_do_it_later(image: Path) -> None:
    packages = next(image.glob("lib/python3.*/site-packages"))
    sources = [path for name in PACKAGES for path in (packages / name).rglob("*.py")]

    assert sources
    assert [path for path in sources if not list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"))] == []


def test_i5_it_serves_as_an_unprivileged_user_with_everything_read_only_and_no_network(
    image: Path, place: Path
) -> None:
    if os.geteuid() != 0 or subprocess.run([*ISOLATED, "true"], capture_output=True, check=False).returncode:
        pytest.skip("NOT TRIED: needs root and unshare, to become another user in a file system that is read-only")
    shutil.copytree(ROOT / "fixtures" / "scenarios" / "gc-assessment-due", place / "scenario", dirs_exist_ok=True)
    (place / "self_test.py").write_text(SELF_TEST, encoding="utf-8")
    (place / "scratch").mkdir(exist_ok=True)
    said = {each.word: each.rest for each in instructions()}
    health = said["HEALTHCHECK"].split("CMD ", 1)[1].replace("/opt/", f"{place}/opt/")
    inside = f"""
        mount --make-rprivate /
        mount --bind {place} {place}
        mount -t tmpfs -o size=64m,mode=1777,noexec,nosuid,nodev tmpfs {place}/scratch
        mount -o remount,bind,ro {place}
        mount -o remount,bind,ro / || true
        mount -t proc proc /proc
        {sys.executable} -c 'import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh14x", b"lo", 0x41))'
        exec "$@"
    """
    environ = {
        "PATH": "/usr/bin:/bin",
        "TMPDIR": f"{place}/scratch",
        "PYTHONDONTWRITEBYTECODE": "1",
        "BONECDS_INSECURE_PUBLIC_BIND": "true",
        "BONECDS_AS_OF": "2026-06-15",
    }
    command = [
        str(image / "bin/python"),
        str(place / "self_test.py"),
        str(image),
        health,
        said["CMD"],
        str(place / "scenario"),
    ]
    ran = subprocess.run(
        [*ISOLATED, "sh", "-ec", inside, "sh", *DROPPED, *command],
        env=environ, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    told = json.loads(ran.stdout)

    assert (told["uid"], told["capabilities"]) == (int(re.split(":", USER)[0]), 0)
    assert told["written"] == []
    assert told["healthy"], told["lines"]
    assert told["cards"] == json.loads((place / "scenario" / "cards.json").read_text("utf-8"))
    assert (told["stopped"], told["left behind"]) == (0, [])
