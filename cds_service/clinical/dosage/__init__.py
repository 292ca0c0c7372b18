"""From FHIR Dosage and Timing, structured or in words, to doses per day over time.

What is not wholly understood is *unreadable*, never a guess (S7). All arithmetic is decimal; every range stays a range.

1. **Structure** (`structured`, `timing`). Amount per intake: `doseQuantity` or `doseRange` of the `doseAndRate` typed *ordered*
   (else of all, which must agree); a rate only where it says a dose per day. Intakes per day: `timing.repeat`, or where that
   says nothing `timing.code`; both must agree. As needed lowers the low end to 0, `maxDosePerPeriod` caps both ends.
2. **Text** (`sig`, `text/`): `text` and `patientInstruction`. Numbers are written in digits (`tokens`), the text is cut into known
   phrases (`words` and its tables `phrases_*`, `harmless`), and these are put together (`groups`, `grammar`, `tapers`). One
   unknown word, one thing said twice differently, one number left over, and the text is unreadable.
3. **Both** (`reading`). Only one readable: that one. Both and equal: that. Not equal: the span of both, and a conflict (D20).
   A half from each is joined only where neither contradicts the other.
4. **Mg** (`product`). Tablets and mL are turned into mg with the strength that codes, names and ingredients of the medication
   agree on; a number without a unit counts tablets only where the product is counted and has one strength.
5. **Days** (`course`, `layout`, `steps`). From the start of the dosage or the order; as long as bounds, `count` or text tell,
   else the supply, else the quantity at that dose. Text and bounds that differ leave the days between possible. Dosages
   in `sequence` follow each other; the others hold at once and are added day by day (`parallel`). A step whose beginning
   nobody tells has no place in time: unreadable. Status and day of evaluation decide which days are certain (D8, D12).
6. **Packs** (`packs`). One dose pack is known by heart: methylprednisolone 4 mg x 21.

The two doors: `steps.steps_of` for a resource, `sig.read` for a text.
"""
