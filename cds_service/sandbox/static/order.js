// The order form as a FHIR MedicationRequest, and back.

const UCUM = "http://unitsofmeasure.org";
export const FREQUENCIES = {
  qd: ["once a day", { frequency: 1, period: 1, periodUnit: "d" }],
  bid: ["twice a day", { frequency: 2, period: 1, periodUnit: "d" }],
  tid: ["three times a day", { frequency: 3, period: 1, periodUnit: "d" }],
  qod: ["every other day", { frequency: 1, period: 2, periodUnit: "d" }],
  qw: ["once a week", { frequency: 1, period: 1, periodUnit: "wk" }],
  qmo: ["once a month", { frequency: 1, period: 1, periodUnit: "mo" }],
  q3mo: ["every 3 months", { frequency: 1, period: 3, periodUnit: "mo" }],
  q6mo: ["every 6 months", { frequency: 1, period: 6, periodUnit: "mo" }],
  qa: ["once a year", { frequency: 1, period: 1, periodUnit: "a" }],
};
export const DOSE_UNITS = { mg: "mg", ug: "micrograms", "{tablet}": "tablet(s)", mL: "mL" };
export const DURATIONS = { d: "days", wk: "weeks", mo: "months", a: "years" };
export const ROUTES = {
  "": ["not said", null],
  "26643006": ["by mouth", "Oral route"],
  "47625008": ["into a vein", "Intravenous route"],
  "78421000": ["into a muscle", "Intramuscular route"],
  "34206005": ["under the skin", "Subcutaneous route"],
};
export const LONGEST_TAPER = 12;

export const emptyStep = () => ({ dose: "", unit: "mg", freq: "qd", dur: "", durUnit: "d" });
export const emptyOrder = () => ({ name: "", code: "", mode: "form", route: "", sig: "", steps: [emptyStep()] });

/** An order as the address has it, with everything in its place. */
export function tidy(order) {
  const made = emptyOrder();
  for (const key of ["name", "code", "route", "sig"]) if (typeof order?.[key] === "string") made[key] = order[key].slice(0, 500);
  made.mode = order?.mode === "words" ? "words" : "form";
  if (!(made.route in ROUTES)) made.route = "";
  if (Array.isArray(order?.steps) && order.steps.length) {
    made.steps = order.steps.slice(0, LONGEST_TAPER).map((step) => {
      const one = emptyStep();
      if (typeof step?.dose === "string") one.dose = step.dose.slice(0, 10);
      if (typeof step?.dur === "string") one.dur = step.dur.slice(0, 10);
      if (step?.unit in DOSE_UNITS) one.unit = step.unit;
      if (step?.freq in FREQUENCIES) one.freq = step.freq;
      if (step?.durUnit in DURATIONS) one.durUnit = step.durUnit;
      return one;
    });
  }
  return made;
}

export const isEmpty = (order) => !order || (!order.name.trim() && !order.sig.trim());

/** The draft that the form stands for. */
export function toResource(order, { id, patientId, asOf }) {
  const coding = order.code
    ? { coding: [{ system: "http://www.nlm.nih.gov/research/umls/rxnorm", code: order.code, display: order.name }] }
    : {};
  const instructions = order.mode === "words" ? [words(order)] : order.steps.map((step, at) => dosage(order, step, at));
  return {
    resourceType: "MedicationRequest",
    id,
    status: "draft",
    intent: "order",
    subject: { reference: `Patient/${patientId}` },
    authoredOn: asOf,
    ...(order.name.trim() ? { medicationCodeableConcept: { ...coding, text: order.name.trim() } } : {}),
    ...(instructions.some((each) => Object.keys(each).length) ? { dosageInstruction: instructions } : {}),
  };
}

function routeOf(order) {
  const display = ROUTES[order.route]?.[1];
  return display ? { route: { coding: [{ system: "http://snomed.info/sct", code: order.route, display }] } } : {};
}

function words(order) {
  return { ...(order.sig.trim() ? { text: order.sig.trim() } : {}), ...routeOf(order) };
}

function dosage(order, step, at) {
  const dose = asNumber(step.dose);
  const length = asNumber(step.dur);
  const repeat = { ...FREQUENCIES[step.freq][1] };
  if (length !== null) {
    repeat.boundsDuration = { value: length, unit: DURATIONS[step.durUnit], system: UCUM, code: step.durUnit };
  }
  return {
    ...(order.steps.length > 1 ? { sequence: at + 1 } : {}),
    timing: { repeat },
    ...routeOf(order),
    ...(dose === null ? {} : {
      doseAndRate: [{ doseQuantity: { value: dose, unit: DOSE_UNITS[step.unit], system: UCUM, code: step.unit } }],
    }),
  };
}

function asNumber(text) {
  const plain = text.trim().replace(",", ".");
  return /^\d{1,6}(\.\d{1,3})?$/.test(plain) ? Number(plain) : null;
}

/** The form for an order that is already written: a suggestion, or a draft of the chart. */
export function fromResource(resource) {
  const drug = resource.medicationCodeableConcept ?? {};
  const told = resource.dosageInstruction ?? [];
  const order = {
    ...emptyOrder(),
    name: drug.text ?? drug.coding?.[0]?.display ?? "",
    code: (drug.coding ?? []).find((each) => each.system?.endsWith("/rxnorm"))?.code ?? "",
    route: told[0]?.route?.coding?.[0]?.code ?? "",
  };
  const structured = told.filter((each) => each.doseAndRate?.[0]?.doseQuantity);
  if (told.length && !structured.length) return tidy({ ...order, mode: "words", sig: told.map((each) => each.text ?? "").join("; ") });
  return tidy({ ...order, steps: structured.map(stepOf) });
}

function stepOf(instruction) {
  const dose = instruction.doseAndRate[0].doseQuantity;
  const repeat = instruction.timing?.repeat ?? {};
  const freq = Object.entries(FREQUENCIES).find(([, [, each]]) =>
    ["frequency", "period", "periodUnit"].every((key) => each[key] === repeat[key]));
  const bounds = repeat.boundsDuration;
  return {
    dose: String(dose.value ?? ""),
    unit: dose.code in DOSE_UNITS ? dose.code : "mg",
    freq: freq?.[0] ?? "qd",
    dur: bounds?.value === undefined ? "" : String(bounds.value),
    durUnit: bounds?.code in DURATIONS ? bounds.code : "d",
  };
}

/** The order in words, for the chart. */
export function inWords(resource) {
  const told = resource.dosageInstruction ?? resource.dosage ?? [];
  return (Array.isArray(told) ? told : [told]).map((each) => (typeof each?.text === "string" ? each.text : structured(each ?? {}))).filter(Boolean).join(", then ");
}

function structured(instruction) {
  const dose = instruction.doseAndRate?.[0]?.doseQuantity ?? instruction.dose;
  const range = instruction.doseAndRate?.[0]?.doseRange;
  const repeat = instruction.timing?.repeat ?? {};
  const known = Object.values(FREQUENCIES).find(([, each]) =>
    ["frequency", "period", "periodUnit"].every((key) => each[key] === repeat[key]));
  const often = known?.[0] ?? (repeat.frequency ? `${repeat.frequency} x per ${repeat.period} ${repeat.periodUnit}` : "");
  const bounds = repeat.boundsDuration;
  return [
    dose ? `${dose.value} ${dose.unit ?? dose.code ?? ""}` : "",
    range ? `${range.low?.value ?? ""} to ${range.high?.value ?? ""} ${range.high?.unit ?? ""}` : "",
    often,
    bounds ? `for ${bounds.value} ${DURATIONS[bounds.code] ?? bounds.unit ?? ""}` : "",
    instruction.asNeededBoolean ? "as needed" : "",
  ].filter(Boolean).join(" ");
}
