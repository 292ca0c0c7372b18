"""Ask whether what the service needs has known vulnerabilities; `make audit` brings pip-audit.

pip-audit alone will not do: where the advisories cannot be reached it may skip every package, print "No known vulnerabilities
found" and exit with 0. Here a package that was not looked up is said, and is no success.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOCK = "requirements.lock"
FINE, VULNERABLE, COULD_NOT_LOOK = 0, 1, 3


def verdict(report: Mapping[str, Any], locked: int) -> tuple[int, list[str]]:
    """What a report of pip-audit means.

    Args:
        report: its JSON.
        locked: how many packages the lock file pins.

    Returns:
        The exit status, and the lines to print.
    """
    asked = [each for each in report["dependencies"] if "vulns" in each]
    lines = [
        f"VULNERABLE {each['name']} {each['version']}: {found['id']}, "
        f"fixed in {', '.join(found['fix_versions']) or 'no version yet'}"
        for each in asked
        for found in each["vulns"]
    ]
    if len(asked) != locked:
        lines.append(f"COULD NOT LOOK: {locked - len(asked)} of {locked} packages. Nothing is known about them.")
        lines += [f"  {each['name']}: {each['skip_reason']}" for each in report["dependencies"] if "vulns" not in each][
            :3
        ]
    if any(each["vulns"] for each in asked):
        return VULNERABLE, lines
    if len(asked) != locked or not locked:
        return COULD_NOT_LOOK, lines
    return FINE, [f"{locked} packages looked up, no known vulnerability."]


def main(arguments: list[str]) -> int:
    """Run pip-audit and say what it found.

    Returns:
        0 if every package was looked up and none has an advisory; 1 if one has; 3 if the answer is unknown.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("pip_audit")
    parser.add_argument("--service", choices=["pypi", "osv"], default="pypi")
    parser.add_argument("--look", choices=["required", "wanted"], default="required")
    given = parser.parse_args(arguments)
    command = [given.pip_audit, "--requirement", LOCK, "--require-hashes", "--disable-pip", "--format", "json"]
    command += ["--vulnerability-service", given.service, "--progress-spinner", "off", "--timeout", "30"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    locked = sum("==" in line for line in Path(LOCK).read_text("utf-8").splitlines() if line[:1].isalnum())
    try:
        status, lines = verdict(json.loads(ran.stdout), locked)
    except (ValueError, KeyError):
        last = ran.stderr.strip().splitlines()[-1:] or ["it printed nothing"]
        status, lines = COULD_NOT_LOOK, [f"COULD NOT LOOK: pip-audit ended with {ran.returncode}: {last[0]}"]
    sys.stdout.write("\n".join(lines) + "\n")
    if status == COULD_NOT_LOOK and given.look == "wanted":
        sys.stdout.write("Going on, since AUDIT=wanted: this was NOT an audit.\n")
        return FINE
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
