"""The 44 request bodies that a public guideline project ships: 40 are not JSON, all put `Patient/` into patientId."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.conformance.wire import Wire, expression

DATA = Path(__file__).parents[3] / "shared" / "data" / "cds-hooks-requests-opioid-cds-r4"

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the requests are not beside the checkout ({DATA.name})"),
]


def bodies(folder: Path) -> list[str]:
    found = [path.read_text("utf-8") for path in sorted(folder.glob("*.json"))]
    assert len(found) == 44
    return found


def test_c13_as_published_every_body_is_refused_and_none_breaks_the_service(wire: Wire):
    assert {wire.call(body).status_code for body in bodies(DATA)} == {400}


def test_c13_made_parseable_they_are_refused_for_the_hook_or_the_patient_id(wire: Wire):
    places: Counter[str] = Counter()
    for body in bodies(DATA / "repaired"):
        answer = wire.call(body)
        assert answer.status_code == 400
        places.update(expression(answer))
    hooks = Counter(json.loads(body)["hook"] for body in bodies(DATA / "repaired"))
    patient_view = hooks.pop("patient-view")
    assert places == {"context.patientId": patient_view, "hook": hooks.total()}


def test_item_45_with_plain_ids_the_patient_views_are_answered(wire: Wire):
    """Their data are not ours to judge here: the service may find too little or a mix-up in them (412), never fail."""
    statuses: Counter[int] = Counter()
    for body in bodies(DATA / "repaired"):
        if json.loads(body)["hook"] == "patient-view":
            plain = re.sub(r'("(?:patientId|encounterId)": ")(?:Patient|Encounter)/', r"\1", body)
            statuses[wire.call(plain).status_code] += 1
    assert set(statuses) <= {200, 412}
    assert statuses.total() >= 10
