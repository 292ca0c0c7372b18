"""The 44 request bodies that a public guideline project ships: 40 are not JSON, all put `Patient/` into patientId."""

import datetime as dt
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from cds_service.cli.serve import build_app
from cds_service.web.settings import Settings
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


def test_item_30_c13_each_body_at_the_service_of_its_hook_is_answered_or_told_why_not():
    """Opioid orders are none of ours: no card. One body puts an order where the Bundle of orders belongs."""
    client = build_app(Settings(as_of=dt.date(2026, 6, 15))).test_client()
    seen: Counter[tuple[str, int]] = Counter()
    for body in bodies(DATA / "repaired"):
        hook = json.loads(body)["hook"]
        plain = re.sub(r'("(?:patientId|encounterId)": ")(?:Patient|Encounter)/', r"\1", body)
        for text in (body, plain):
            answer = client.post(f"/cds-services/bone-health-{hook}", data=text, content_type="application/json")
            seen[(hook, answer.status_code)] += 1
            if answer.status_code == 200:
                assert answer.get_json()["cards"] == []
            else:
                assert len(answer.get_json()["issue"][0]["diagnostics"]) > 40
    orders = {each: number for each, number in seen.items() if each[0] != "patient-view"}
    assert orders == {
        ("order-select", 200): 7,
        ("order-select", 400): 9,
        ("order-sign", 200): 25,
        ("order-sign", 400): 25,
    }
