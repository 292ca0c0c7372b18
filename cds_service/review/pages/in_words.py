"""The patient of a vignette in words, from the story that makes the record (`review/story.py`).

A key that has no words here is shown as it stands: nothing of a story is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_SITES = {"spine": "spine", "hip": "hip", "neck": "femoral neck"}
_SCORES = {"t": "T-score", "z": "Z-score"}
_PEOPLE = {"female": "woman", "male": "man", "unknown": "recorded sex unknown"}
_STATES = {
    "absent": "not supplied",
    "null": "sent as nothing",
    "empty": "sent as an empty list",
    "failed": "look-up failed",
    "not-permitted": "not permitted",
    "partial": "only partly supplied",
}
_SPAN = re.compile(r"\d+ (?:day|month|year)s?.*")
_RECENT = "30 days"


def in_words(story: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The story, or the part of it that differs, as phrases.

    Args:
        story: keys and values of `story.py`.
        names: names of look-ups for people.
    """
    told = [*_who(story)]
    for key, value in story.items():
        if key == "incomplete":
            told.extend(f"{names.get(need, need)}: {_STATES.get(state, state)}" for need, state in value.items())
        elif key not in ("sex", "age", "born"):
            told.extend(_phrases(key, value))
    return "; ".join(told)


def _who(story: Mapping[str, Any]) -> Iterator[str]:
    person = _PEOPLE.get(story["sex"], story["sex"]) if "sex" in story else ""
    age = f"{story['age']} years old" if "age" in story else ""
    born = f"born {story['born']}" if "born" in story else ""
    if said := ", ".join(each for each in (person, born or age) if each):
        yield said


def _phrases(key: str, value: Any) -> Iterator[str]:
    write = _WORDS.get(key, lambda told: f"{key.replace('_', ' ')} {_flat(told)}")
    if value in ([], None):
        yield f"no {_NOTHING.get(key, key.replace('_', ' '))} on record"
        return
    for each in value if isinstance(value, list) else [value]:
        yield write(each)


def _flat(told: Any) -> str:
    """Any value of a story in a line."""
    if isinstance(told, Mapping):
        return ", ".join(str(each) if name == "value" else f"{name} {_flat(each)}" for name, each in told.items())
    if isinstance(told, list):
        return " to ".join(_flat(each) for each in told)
    return {True: "yes", False: "no"}[told] if isinstance(told, bool) else str(told)


def _when(told: str) -> str:
    if told == "0 days":
        return "today"
    return f"{told} ago" if _SPAN.fullmatch(told) else f"on {told}"


def _for(since: str) -> str:
    return f"for {since}" if _SPAN.fullmatch(since) else f"since {since}"


def _of(told: Any, name: str) -> Mapping[str, Any]:
    return told if isinstance(told, Mapping) else {name: told}


# --- diagnoses -------------------------------------------------------------------------------------------------------
def _condition(told: Any) -> str:
    told = _of(told, "name")
    verified = told.get("verification", "confirmed")
    notes = [_when(told["ago"])] if "ago" in told else []
    notes += [f"over {_when(told['over'])}"] if "over" in told else []
    notes += [] if verified == "confirmed" else [verified]
    return f"{told['name']} ({', '.join(notes)})" if notes else str(told["name"])


def _fracture(told: Mapping[str, Any]) -> str:
    causes = {True: "low-trauma", False: "traffic accident"}
    cause = causes.get(told.get("low_trauma", None), "cause not on record")
    site = "site not stated" if told["site"] == "not stated" else told["site"]
    return f"fracture ({site}, {cause}) {_when(told.get('ago', '2 years'))}"


def _fall(told: str) -> str:
    return "recurrent falls" if told == "repeated" else f"a fall {_when(told)}"


def _family(told: Any) -> str:
    told = _of(told, "name")
    if "member" in told:
        return f"{told['member']}: {told['condition']}"
    return f"family history: {told['name']}"


def _menopause(told: str) -> str:
    return {"yes": "after menopause", "no": "menopause looked for and refuted"}.get(told, f"menopause: {told}")


def _pregnant(told: bool | str) -> str:
    if isinstance(told, str):
        return f"pregnant, recorded {_when(told)}"
    return "pregnant" if told else "not pregnant"


# --- results ---------------------------------------------------------------------------------------------------------
def _result(name: str, unit: str = "") -> Callable[[Any], str]:
    def write(told: Any) -> str:
        told = _of(told, "value")
        given = told.get("unit", unit)
        shown = f"{told['value']} {given}".strip() if given else f"{told['value']}"
        without = ", without a unit" if told.get("unit") == "" else ""
        ago = f" {_when(told['ago'])}" if "ago" in told else ""
        rest = {k: v for k, v in told.items() if k not in ("value", "unit", "ago")}
        return f"{name} {shown}{without}{ago}" + (f" ({_flat(rest)})" if rest else "")

    return write


def _test(told: Any) -> str:
    told = _of(told, "name")
    value = f" {told['value']}" if "value" in told else ""
    return f"{told['name']} tested{value} {_when(told.get('ago', _RECENT))}"


def _dxa(told: Mapping[str, Any]) -> str:
    scores = [
        f"{_SCORES[key]} {_SITES.get(site, site)} {value}"
        for key in _SCORES
        for site, value in told.get(key, {}).items()
    ]
    vfa = " with vertebral fracture assessment" if told.get("vfa") else ""
    return f"DXA{vfa} {_when(told.get('ago', _RECENT))}" + (f": {', '.join(scores)}" if scores else "")


def _frax(told: Mapping[str, Any]) -> str:
    shown = [f"{words} {told[key]} %" for key, words in (("mof", "major osteoporotic"), ("hip", "hip")) if key in told]
    density = {True: "bone density entered", False: "bone density not entered"}
    shown += [density[told["with_bmd"]]] if "with_bmd" in told else []
    shown += [f"ticked: {', '.join(told['ticked'])}"] if told.get("ticked") else []
    return f"FRAX {_when(told.get('ago', _RECENT))}: {', '.join(shown)}"


# --- drugs -----------------------------------------------------------------------------------------------------------
def _dose(told: Mapping[str, Any], per: str = "day") -> str:
    mg = told.get("mg")
    if isinstance(mg, str):
        return f' "{mg}"'
    if isinstance(mg, list):
        return f" {mg[0]} to {mg[1]} mg/{per}"
    return f" {mg} mg/{per}" if mg is not None else ""


def _steroid(told: Mapping[str, Any]) -> str:
    route = {"oral": "", "iv": " IV"}.get(told.get("route", "oral"), f" {told.get('route')}")
    length = f" for {_days(told['days'])}" if "days" in told else ""
    if "ended" in told:
        course = f"{length}, the last {_when(told['ended'])}"
    else:
        so_far = f"{_days(told['taken'])} so far" if "taken" in told else f"started {_when(told['since'])}"
        course = f", {so_far}, ordered{length or ' without an end'}"
    reason = f", for {told['reason']}" if "reason" in told else ""
    status = f", status {told['status']}" if "status" in told else ""
    return f"{told['drug']}{route}{_dose(told)}{course}{reason}{status}"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _therapy(told: Mapping[str, Any]) -> str:
    drug = told["drug"]
    if doses := told.get("doses"):
        return f"{drug}, doses {', '.join(_when(each) for each in doses)}"
    return f"{drug}{_dose(told, told.get('every', 'day'))}{_course(told)}"


def _drug(told: Any) -> str:
    told = _of(told, "drug")
    tablets = f" {told['tablets']} tablets a {told.get('every', 'day')}" if "tablets" in told else ""
    return f"{told['drug']}{tablets or _dose(told, told.get('every', 'day'))}{_course(told)}"


def _ordered(told: Mapping[str, Any]) -> str:
    """What is being ordered."""
    given = [f"{told[key]} {words}" for key, words in (("tablets", "tablets"), ("units", "IU")) if key in told]
    dose = f" {given[0]} a {told.get('every', 'day')}" if given else _dose(told, told.get("every", "day"))
    route = {"oral": "", "iv": " IV"}.get(told.get("route", "oral"), f" {told.get('route')}")
    length = f" for {_days(told['days'])}" if "days" in told else ", without an end"
    text = f', written "{told["text"]}"' if "text" in told else ""
    start = f", from {told['start']}" if "start" in told else ""
    which = "beside it in the basket" if told.get("beside") else "being ordered"
    return f"{which}: {told['drug']}{route}{dose}{length}{start}{text}"


def _course(told: Mapping[str, Any]) -> str:
    since = f" {_for(told['since'])}" if "since" in told else ""
    stopped = f", stopped {_when(told['stopped'])}" if "stopped" in told else ""
    return f"{since}{stopped}" + (", order without an end" if told.get("open") else "")


_WORDS: Mapping[str, Callable[[Any], str]] = {
    "as_of": lambda told: f"looked at on {told}",
    "deceased": lambda told: "deceased" if told else "alive",
    "menopause": _menopause,
    "pregnant": _pregnant,
    "conditions": _condition,
    "fractures": _fracture,
    "falls": _fall,
    "family": _family,
    "smoking": lambda told: f"smoking: {_flat(told)}",
    "alcohol": _result("alcohol", "drinks a day"),
    "weight": _result("weight", "kg"),
    "height": _result("height", "cm"),
    "bmi": _result("BMI", "kg/m2"),
    "edss": _result("EDSS"),
    "timed_walk": _result("Timed 25-Foot Walk", "s"),
    "dxa": _dxa,
    "frax": _frax,
    "vitamin_d": _result("25-OH vitamin D", "ng/mL"),
    "creatinine": _result("creatinine", "mg/dL"),
    "egfr": _result("eGFR"),
    "calcium": _result("calcium", "mmol/L"),
    "albumin": _result("albumin", "g/L"),
    "tests": _test,
    "steroids": _steroid,
    "therapies": _therapy,
    "drugs": _drug,
    "orders": _ordered,
}
_NOTHING = {
    "steroids": "glucocorticoid",
    "therapies": "osteoporosis drug",
    "drugs": "other drug",
    "orders": "order",
    "dxa": "DXA",
    "frax": "FRAX",
    "egfr": "eGFR",
    "bmi": "BMI",
    "edss": "EDSS",
    "vitamin_d": "25-OH vitamin D",
}
