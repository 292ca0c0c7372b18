"""Many sentences of DXA reports, and what is read of each: `dxa_sentences.txt`, a line for a sentence.

    python -m tests.unit.facts.test_dxa_sentences

writes the file anew; read the difference before committing it. Why a sentence is read so: test_dxa_narrative.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from cds_service.clinical.facts.bone_density import scans, scores
from cds_service.clinical.facts.dxa_narrative import narrative
from tests.support.charts import chart_of
from tests.support.dxa import (
    FEMUR,
    FOREARM,
    HEEL,
    HIP,
    HIP_Z,
    NO_SITE,
    REPORT,
    SPINE,
    VFA_ONLY,
    WITH_VFA,
    report,
    score,
)

_FILE = Path(__file__).with_name("dxa_sentences.txt")
_SITES = (
    "Lumbar spine", "Lumbar spine (L1-L4)", "AP spine L2-4", "L1 to L4", "L-spine", "Spine", "Left hip", "Total hip", "Hip, total",
    "Hip: femoral neck", "Femoral neck", "Neck of the left femur", "Left FN", "Neck", "Proximal femur", "Femur",
    "Ward's triangle", "Trochanter", "Distal radius", "33% radius", "Heel", "Humerus", "Whole body", "Femoral neck and total hip",
    "Femoral neck, heel", "L1", "",
)  # fmt: skip
_SCORES = (
    "T-score -1.8", "T score -1.8", "T-scores -1.8", "Tscore -1.8", "T = -1.8", "T: -1.8", "T -1.8", "T –1.8", "t-score -1.8",
    "Z-score -1.8", "z = -1.8", "T-score minus 1.8", "T-score plus 1.8", "T-score +1.8", "T-score −1.8", "T-score –1.8",
    "T-score - 1.8", "T-score-1.8", "T-score +-1.8", "T-score 1.8", "T-score 0", "T-score -0.0", "T-score -1,8", "T-score -1,85",
    "T-score -1.85", "T-score -2", "T-score -10.0", "T-score -10.1", "T-score +10", "T-score -99", "T-score -1.8/-2.0",
    "T-score -1.8 to -2.0", "T-score -1.8 -2.0", "T-score -1.8 Z-score -0.5", "T-score -1.8 (Z -0.5)", "T-score -1.8 T-score -0.5",
    "T-score -1.8 Z-score 0.5", "T-score -1.8 Z-score -0.5 T-score -2.0", "Z-score -0.5 T-score -1.8", "T-score (-1.8)",
    "T-score is -1.8", "T-score of -1.8", "T-score -1.8 SD", "T-score -1.8%", "T-score", "-1.8", "Tz -1.8",
    "BMD 0.812 g/cm2 T-score -1.8", "BMD is 0.812, T-score -1.8", "bone mineral density of 0.8 T-score -1.8",
    "812 mg/cm2 T-score -1.8", "0.812 T-score -1.8", "85 % T-score -1.8", "at 67 years T-score -1.8", "12 cm T-score -1.8",
    "+5.2 % T-score -1.8",
)  # fmt: skip
_DOUBTS = (
    "previous", "previously", "prior", "history", "earlier", "last", "former", "baseline", "compared", "change", "increased",
    "decrease", "decline", "improved", "since", "ago", "target", "goal", "if", "would", "mother", "father", "family", "not", "no",
    "unreliable", "artefact", "artifact", "excluding", "invalid", "mean", "average", "estimated", "approximately", "about",
    "versus", "vs", "and/or", "threshold", "L3", "2019", "2019-05-01", "05/2019", "1.5.2019", "05/01/19", "12-12",
    "below", "above", "at or below", "<", "<=", "≤", ">", "less than", "lower than", "or lower", "between", "at least", "defined",
    "criteria", "classified", "WHO", "notable", "nowhere", "lasting", "aboutness", "bone", "fine", "normal", "osteoporosis",
)  # fmt: skip
_WHOLE = (
    "T-score -1.8 total hip", "T-score -1.8 at the total hip", "T-score -1.8 total hip T-score -2.0", "T-score total hip -1.8",
    "T-score of the total hip: -1.8 (Z-score -0.5)", "T-score total hip -1.8 femoral neck -2.0",
    "Spine T-score -2.0; hip T-score -1.8", "Spine T-score -2.0. Hip T-score -1.8", "Spine T-score -2.0, hip T-score 1.8",
    "Spine T-score -2.0\nSpine T-score -2.0", "Osteoporosis: T-score below -2.5", "T-score below -2.5 at the spine",
    "Osteoporosis is diagnosed with a T-score of -2.5", "Comparison\nTotal hip T-score -1.8",
    "Prior study:\nTotal hip T-score -1.8", "Findings\nTotal hip T-score -1.8", "Comparison\nFindings\nTotal hip T-score -1.8",
    "Compared with one of the years before\nTotal hip T-score -1.8", "Comparison -1.8\nTotal hip T-score -1.8",
    "Prior T-score\nTotal hip T-score -1.8", "Previous exam and report\nTotal hip T-score -1.8",
    "Previous exam and one report\nTotal hip T-score -1.8", "word " * 110 + "total hip T-score -1.8",
    "word " * 116 + "hip T-score -1.8", "Total hip T-score -1.8" + " word" * 130,
    "A sentence of more than four words\rTotal hip T-score -1.8",
)  # fmt: skip
_VFA = (
    "VFA: no fracture", "VFA recommended", "VFA is recommended", "Vertebral fracture assessment shows no fracture",
    "Vertebral fracture assessment was not performed", "VFA not done", "VFA was never done", "VFA has not been done",
    "(VFA) not done", "(VFA ): no fracture", "VFA not seen", "Consider VFA", "No VFA", "Without VFA", "Previous VFA: no fracture",
    "No fracture in VFA", "Lateral spine imaging: none", "Lateral vertebral assessment shows a fracture", "Lateral views",
    "VFA. Next DXA in two years", "VFA shows no fracture and the next one is due in two years", "VFA next year", "VFA unable",
    "Repeat VFA", "VFAs", "VFA of the whole spine shows no deformity; repeat DXA", "VFA shows no deformity, so repeat DXA later",
)  # fmt: skip
# a score on record beside the words of a report of the same day: code, value, words
_BESIDE = tuple(
    itertools.product((HIP, SPINE, FEMUR, HIP_Z, HEEL), ("Total hip", "Femoral neck", "Spine", "Femur", "Heel"))
)
_CODES = (REPORT, WITH_VFA, VFA_ONLY, NO_SITE, "38268-9")


def told() -> Iterator[tuple[str, str]]:
    """Each text, and what is read of it."""
    sentences = (
        *(f"{site} T-score -2.6" for site in _SITES),
        *(f"Total hip {words}" for words in _SCORES),
        *(f"Total hip T-score -1.8 {word}" for word in _DOUBTS),
        *(f"{word} total hip T-score -1.8" for word in _DOUBTS),
        *_WHOLE,
    )
    for text in sentences:
        found = narrative({"conclusion": text})
        read = [f"{each.measure.value} {each.site.value} {each.value}" for each in found.scores]
        yield text, "; ".join([*read, *(["unclear"] if found.unclear else [])]) or "nothing"
    for text in _VFA:
        yield (
            text,
            "; ".join(each.evidence.note or "without VFA" for each in scans(chart_of(report(REPORT, text))).items),
        )
    for code, site in _BESIDE:
        found_ = scores(chart_of(score("-2.0", code), report(REPORT, f"{site} T-score -1.8"))).items
        read = [f"{each.measure.value} {each.site.value} {each.value} {each.evidence.note}" for each in found_]
        yield f"{code} -2.0 beside {site} T-score -1.8", "; ".join(read)
    for one, other in itertools.product(_CODES, (*_CODES, HIP, FOREARM)):
        second = score("-2.0", other, text="forearm") if other in (HIP, FOREARM) else report(other, ident="r2")
        both = scans(chart_of(report(one), second)).items
        read = [f"central {each.central} vfa {each.vfa} {each.evidence.resource}" for each in both]
        yield f"{one} and {other} of one day", "; ".join(read)


def written() -> str:
    """The file as it would be now."""
    return "".join(f"{_short(text)} => {read}\n" for text, read in told())


def _short(text: str) -> str:
    line = text.replace("\n", " | ").replace("\r", " | ")
    return line if len(line) < 100 else f"{line[:30]}... {len(line)} characters ...{line[-30:]}"


def test_every_sentence_is_read_as_written_down() -> None:
    assert written() == _FILE.read_text("utf-8")


if __name__ == "__main__":
    _FILE.write_text(written(), "utf-8")
