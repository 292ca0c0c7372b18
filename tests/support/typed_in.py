"""The section of docs/integrator.md with the prefetch templates as somebody types them into an EHR that does not read discovery.

python -m tests.support.typed_in --write
"""

from __future__ import annotations

import argparse
import re

from hooks.patient_view import SERVICE
from tests.support.golden import FOLDER, templates

PAGE = FOLDER.parent.parent / "docs" / "integrator.md"
_SECTION = re.compile(r"(?<=<!-- prefetch:begin -->\n).*?(?=<!-- prefetch:end -->)", re.DOTALL)


def section() -> str:
    """What has to stand between the marks."""
    names, kinds = SERVICE.texts("en").names, {need.key: need.resource_type for need in SERVICE.needs}
    rows = [f"| `{key}` | {kinds[key]} | {names[key]} |" for key in templates()]
    typed = [f"`{key}`\n\n```text\n{query}\n```\n" for key, query in templates().items()]
    return "\n".join(["| Key | FHIR resource | What it brings |", "|---|---|---|", *rows, "", *typed])


def written() -> str:
    """What stands between the marks."""
    found = _SECTION.search(PAGE.read_text("utf-8"))
    return found[0] if found else ""


def write() -> None:
    """Put today's templates into the page."""
    PAGE.write_text(_SECTION.sub(lambda _: section(), PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the prefetch templates of docs/integrator.md anew.")
    parser.add_argument("--write", action="store_true", required=True, help="write the page")
    parser.parse_args()
    write()
