// The chart: what the record holds, sorted as a clinician reads it. It shows; it decides nothing.

import { h } from "./dom.js";
import { inWords } from "./order.js";

const DAY = /^\d{4}(-\d{2}){0,2}$/;
const DXA = /dxa|bone (mineral )?density|t-score|z-score|\bbmd\b/i;

/** All sections of a chart. */
export function chart(resources, orders) {
  const of = (...kinds) => resources.filter((each) => kinds.includes(each?.resourceType));
  const observations = of("Observation").sort(byDate);
  const bone = observations.filter(isBone);
  const others = of("Procedure", "FamilyMemberHistory");
  return [
    section("Orders of this session", () => orders, "Nothing ordered yet."),
    section("Conditions", () => table(["Condition", "Since", "Status"], of("Condition").sort(byDate).map((each) => [
      words(each.code), dateOf(each), code(each.clinicalStatus) || code(each.verificationStatus),
    ]))),
    section("Medicines", () => table(["Medicine", "Dose", "When", "Record"], medicines(resources))),
    section("Bone density", () => table(["Site", "Result", "Date"], bone.map((each) => [words(each.code), valueOf(each), dateOf(each)]))),
    section("DXA and other reports", () => of("DiagnosticReport").sort(byDate).map(report)),
    section("Results", () => table(["Result", "Value", "Reference", "Date"], observations.filter((each) => !isBone(each)).map((each) => [
      words(each.code), valueOf(each), rangeOf(each), dateOf(each),
    ]))),
    others.length ? section("Procedures and family", () => table(["What", "Date"], others.map((each) => [
      words(each.code) || words(each.relationship), dateOf(each),
    ]))) : null,
  ];
}

function section(title, make, empty = "Nothing on record.") {
  let content;
  try {
    content = make();
  } catch {
    // a record of one's own may hold anything anywhere; what is odd in one part hides no other
    content = h("p", {}, "This part of the record could not be shown.");
  }
  const there = Array.isArray(content) ? content.length : content;
  return h("section", { class: "block" }, h("h3", {}, title), there ? content : h("p", { class: "quiet" }, empty));
}

function table(heads, rows) {
  if (!rows.length) return null;
  return h("table", {},
    h("thead", {}, h("tr", {}, heads.map((each) => h("th", { scope: "col" }, each)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, at) =>
      h(at ? "td" : "th", { scope: at ? null : "row", class: DAY.test(cell) ? "date" : null, data: { label: heads[at] } }, cell || "\u2013"))))));
}

const KINDS = {
  MedicationRequest: "ordered", MedicationStatement: "reported", MedicationAdministration: "given", MedicationDispense: "dispensed",
};

/** One row for each drug and kind of record: ten infusions are one row that says ten. */
function medicines(resources) {
  const groups = new Map();
  for (const each of resources.filter((one) => one?.resourceType in KINDS).sort(byDate)) {
    const name = drugOf(each);
    const key = [each.resourceType, name, doseOf(each), each.status].join("|");
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].map((group) => {
    const dates = group.map(dateOf).filter(Boolean);
    const first = dates.at(-1);
    const when = group.length > 1 && first !== dates[0] ? `${first} to ${dates[0]}` : dates[0];
    const times = group.length > 1 ? ` ${group.length} times` : "";
    return [drugOf(group[0]), doseOf(group[0]), when, `${KINDS[group[0].resourceType]}${times}, ${group[0].status ?? "?"}`];
  });
}

export function drugOf(resource) {
  const contained = list(resource.contained).find((each) => `#${each.id}` === resource.medicationReference?.reference);
  return words(resource.medicationCodeableConcept) || words(contained?.code) || words(resource.code)
    || text(resource.medicationReference?.display) || "Unnamed";
}

function doseOf(resource) {
  const quantity = resource.quantity ? `${resource.quantity.value} ${resource.quantity.unit ?? ""}` : "";
  const supply = resource.daysSupply ? `for ${resource.daysSupply.value} days` : "";
  return inWords(resource) || [quantity, supply].filter(Boolean).join(" ");
}

function report(resource) {
  return h("article", { class: "report" },
    h("h4", {}, words(resource.code) || "Report", " ", h("span", { class: "quiet" }, dateOf(resource))),
    text(resource.conclusion) ? h("p", {}, resource.conclusion) : h("p", { class: "quiet" }, results(resource)));
}

function results(resource) {
  const count = list(resource.result).length;
  return count ? `No words; ${count} result${count === 1 ? "" : "s"} above.` : "No words and no results.";
}

function isBone(observation) {
  return DXA.test([words(observation.code), ...list(observation.code?.coding).map((each) => text(each?.display))].join(" "));
}

/** Text, whatever stands in its place. */
const text = (value) => (typeof value === "string" || typeof value === "number" ? String(value) : "");
const list = (value) => (Array.isArray(value) ? value : []);

let names = {};

/** Names of codes, for records that carry codes alone: system, a bar, code. */
export function useNames(given) {
  names = given;
}

function words(concept) {
  const codings = list(concept?.coding);
  const known = codings.map((each) => names[`${text(each?.system)}|${text(each?.code)}`]).find(Boolean);
  return text(concept) || text(concept?.text) || text(codings.find((each) => each?.display)?.display) || known || text(codings[0]?.code);
}

const code = (concept) => text(list(concept?.coding)[0]?.code);

function valueOf(resource) {
  const parts = list(resource.component).filter(Boolean).map((each) => {
    const name = words(each.code).match(/T-score|Z-score/i)?.[0] ?? words(each.code);
    return `${name} ${plain(each)}`;
  });
  return [plain(resource), ...parts].filter(Boolean).join("; ");
}

function plain(each) {
  const quantity = each.valueQuantity;
  if (quantity && typeof quantity === "object") {
    const unit = (text(quantity.unit) || text(quantity.code)).replace(/^\{(T|Z)-score\}$/i, "");
    return `${quantity.comparator ?? ""}${String(quantity.value ?? "").replace("-", "\u2212")} ${unit}`.trim();
  }
  for (const value of [each.valueString, each.valueInteger, each.valueBoolean, each.valueDateTime]) {
    if (value !== undefined && typeof value !== "object") return String(value);
  }
  return words(each.valueCodeableConcept);
}

function rangeOf(resource) {
  const range = list(resource.referenceRange)[0];
  if (!range) return "";
  if (text(range.text)) return range.text;
  const [low, high] = [range.low?.value, range.high?.value];
  if (low !== undefined && high !== undefined) return `${low} to ${high}`;
  return low !== undefined ? `from ${low}` : high !== undefined ? `to ${high}` : "";
}

export function dateOf(resource) {
  const found = resource.effectiveDateTime ?? resource.onsetDateTime ?? resource.performedDateTime ?? resource.authoredOn
    ?? resource.whenHandedOver ?? resource.recordedDate ?? resource.date ?? resource.dateAsserted ?? resource.issued;
  const period = resource.effectivePeriod ?? resource.performedPeriod ?? resource.onsetPeriod;
  if (period) return `${(period.start ?? "?").slice(0, 10)} to ${(period.end ?? "now").slice(0, 10)}`;
  return typeof found === "string" ? found.slice(0, 10) : "";
}

const byDate = (one, other) => dateOf(other).localeCompare(dateOf(one));

/** Completed years on a day; empty where the birth date is no full date. */
export function ageOn(birthDate, day) {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(birthDate ?? "")) return "";
  const years = Number(day.slice(0, 4)) - Number(birthDate.slice(0, 4));
  return years - (day.slice(5) < birthDate.slice(5) ? 1 : 0);
}
