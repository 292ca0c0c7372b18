"""What is measured in a DXA, and where: the words of sites on record."""

from __future__ import annotations

import re
from enum import Enum


class Measure(Enum):
    """What a value is. The value is the key of its words in `texts/` [evidence] and its name in `analytes.toml`."""

    T = "t-score"
    Z = "z-score"
    BMD = "bone-density"


class Site(Enum):
    """Where it was measured. The value is shown to people.

    FEMUR is the proximal femur where the record does not tell total hip from femoral neck: LOINC has no code for the
    femoral neck (`terminology.md` 2.1). WARD and OTHER_REGION (trochanter and the like) are never used (DEF-08).
    """

    LUMBAR_SPINE = "lumbar spine"
    SPINE = "spine"
    TOTAL_HIP = "total hip"
    FEMORAL_NECK = "femoral neck"
    FEMUR = "proximal femur"
    FOREARM = "forearm"
    HEEL = "heel"
    HUMERUS = "humerus"
    WHOLE_BODY = "whole body"
    WARD = "Ward's area"
    OTHER_REGION = "another region"
    UNKNOWN = "site not stated"


CENTRAL = frozenset({Site.LUMBAR_SPINE, Site.SPINE, Site.TOTAL_HIP, Site.FEMORAL_NECK, Site.FEMUR})
PERIPHERAL = frozenset({Site.FOREARM, Site.HEEL, Site.HUMERUS})
# parts of the proximal femur, the less exact word first: "hip" is also said of the femoral neck
_PROXIMAL_FEMUR = (Site.FEMUR, Site.TOTAL_HIP, Site.FEMORAL_NECK, Site.OTHER_REGION, Site.WARD)

# The most specific words first: "Ward's triangle, femoral neck" is Ward's.
_SITE_WORDS = (
    (r"ward(?:['’]?s)?(?: (?:area|triangle|region))?", Site.WARD),
    (r"(?:inter|greater )?-?trochanter(?:ic)?(?: region)?", Site.OTHER_REGION),
    (r"femoral[ -]neck|neck of (?:the )?(?:left |right )?femur|fem(?:ur)?\.? neck|fn", Site.FEMORAL_NECK),
    (r"total (?:left |right |proximal )?(?:hip|femur)|(?:hip|femur)[ ,(-]*total", Site.TOTAL_HIP),
    (r"proximal femur", Site.FEMUR),
    (r"(?:ap |pa )?lumbar(?: spine| vertebrae)?(?:[ ,(]*l[1-4] ?(?:[-–]|to) ?l?[2-4]\)?)?", Site.LUMBAR_SPINE),
    (r"(?:ap |pa )?l-?spine|l[1-4] ?(?:[-–]|to) ?l?[2-4]", Site.LUMBAR_SPINE),
    (r"(?:(?:33 ?%|1/3|one[- ]third|distal|ultradistal) )?(?:radius(?: and ulna)?|forearm|ulna|wrist)", Site.FOREARM),
    (r"heel|calcane(?:us|al)", Site.HEEL),
    (r"humerus", Site.HUMERUS),
    (r"(?:whole|total) body", Site.WHOLE_BODY),
    (r"(?:ap |pa )?spine(?:[ ,(]*l[1-4] ?(?:[-–]|to) ?l?[2-4]\)?)", Site.LUMBAR_SPINE),
    (r"(?:ap |pa )?spine", Site.SPINE),
    (r"hips?", Site.TOTAL_HIP),
    (r"femur|femoral", Site.FEMUR),
    (r"neck", Site.FEMORAL_NECK),
)
SITE_PATTERNS = tuple((re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.I), site) for words, site in _SITE_WORDS)
# One search for most texts: few name any site.
_ANY_SITE = re.compile(rf"(?<!\w)(?:{'|'.join(words for words, _ in _SITE_WORDS)})(?!\w)", re.I)


def site_in(text: str) -> Site:
    """The site that a text names; UNKNOWN when it names none."""
    if not _ANY_SITE.search(text):
        return Site.UNKNOWN
    return next((site for pattern, site in SITE_PATTERNS if pattern.search(text)), Site.UNKNOWN)


def refined(coded: Site, told: Site) -> Site:
    """The site of a code, made more exact by words; UNKNOWN where the two contradict each other (D22)."""
    if Site.UNKNOWN in (coded, told):
        return coded if told is Site.UNKNOWN else told
    if coded in _PROXIMAL_FEMUR and told in _PROXIMAL_FEMUR:
        return max(coded, told, key=_PROXIMAL_FEMUR.index)
    if {coded, told} == {Site.LUMBAR_SPINE, Site.SPINE}:
        return Site.LUMBAR_SPINE
    return coded if coded is told else Site.UNKNOWN
