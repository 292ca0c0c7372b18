// The page: one chart at a time, the calls an EHR would make, and what became of them.

import * as api from "./api.js";
import { showCards } from "./cards.js";
import { ageOn, chart, drugOf, useNames } from "./chart.js";
import * as developer from "./developer.js";
import { $, fill, h } from "./dom.js";
import { fromResource, inWords, isEmpty, tidy, toResource } from "./order.js";
import { orderForm } from "./orderform.js";
import { ownRecord } from "./own.js";
import { showPictures, whatIf } from "./pictures.js";
import { OWN, read, write } from "./state.js";

const PAUSE_MS = 400;
const DRAFT = "draft-order";
const SEXES = { female: "F", male: "M", other: "O" };
const NARROW = matchMedia("(max-width: 60rem)");

let known; // what can be chosen from
let people; // the invented patients
let state; // what the address says
let form;
let record; // the Bundle of the open chart
let orders = []; // accepted and signed in this session
let signing = null; // the order whose cards wait for an answer
let drafts = 0;
let pause;
let sliders;
const running = {};

async function begin() {
  const [told, listed, drugs, names] = await Promise.all([api.start(), api.patients(), api.drugs(), api.names()]);
  useNames(names);
  people = listed;
  known = {
    ...told, asOf: told.as_of,
    patients: listed.map((each) => each.id),
    profiles: told.profiles.map((each) => each.id),
    keyNames: told.keys.map((each) => each.key),
  };
  form = orderForm(drugs, typed);
  const openPanel = developer.tabs((name) => change({ panel: name === "request" ? "" : name }));
  sliders = whatIf((vary, held) => drawn("rule-map", api.whatIf, { vary, held }));
  ownRecord((bundle, patient) => open({ patient: OWN, hook: "patient-view", failing: {}, order: null }, bundle, patient));
  fill($("profile"), told.profiles.map((each) => h("option", { value: each.id }, each.title)));
  $("profile").addEventListener("change", (event) => again({ profile: event.target.value }));
  $("units").addEventListener("change", (event) => again({ units: event.target.value }));
  $("as-of").addEventListener("change", (event) => again({ asOf: event.target.value || known.asOf }));
  $("filter").addEventListener("input", showPatients);
  $("share").addEventListener("click", share);
  $("clear").addEventListener("click", clear);
  $("order-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!isEmpty(form.order)) sign(draft());
    else $("drug").focus();
  });
  $("skip").addEventListener("click", (event) => {
    event.preventDefault();
    $("main").focus();
  });
  addEventListener("popstate", fromAddress);
  NARROW.addEventListener("change", () => { $("patients-box").open = !NARROW.matches; });
  $("patients-box").open = !NARROW.matches;
  await fromAddress();
  openPanel(state.panel);
}

const allowed = () => ({ ...known, keys: known.keyNames, failures: Object.keys(known.failures) });

async function fromAddress() {
  const told = read(allowed());
  await open(told, null, null, { remember: false });
}

/** Opens a chart; `bundle` for a record of one's own. */
async function open(told, bundle = null, patient = null, { remember = true } = {}) {
  const invented = people.find((each) => each.id === told.patient);
  const preset = invented?.failing ?? {};
  const [first] = invented?.orders ?? [];
  const given = told.order || (first && told.order !== false ? fromResource(first) : null);
  state = { ...state, ...told, preset, presetOrder: Boolean(first), failing: told.failing ?? { ...preset }, order: tidy(given) };
  orders = [];
  signing = null;
  developer.forget();
  record = bundle ?? await api.record(told.patient);
  write(state, known, { asNewPage: remember });
  form.show(state.order);
  showSettings();
  showPatients();
  showChart(patient);
  fill($("order-cards"));
  fill($("order-said"));
  sliders.renew({ forget: true });
  await fire("patient-view");
  if (isEmpty(state.order)) return;
  if (state.hook === "order-sign") await sign(draft());
  else await fire("order-select");
}

const patientId = () => record.entry.map((each) => each?.resource).find((each) => each?.resourceType === "Patient").id;
const draft = () => toResource(form.order, { id: DRAFT, patientId: patientId(), asOf: state.asOf });

function change(part) {
  state = { ...state, ...part };
  write(state, known);
}

/** The same chart, looked at in another way. */
async function again(part) {
  change(part);
  showSettings();
  showChart();
  sliders.renew();
  await fire("patient-view");
  if (!isEmpty(form.order)) await fire("order-select");
}

// --- calls -------------------------------------------------------------------------------------------------------------

function typed(order) {
  change({ order, hook: "order-select" });
  signing = null;
  clearTimeout(pause);
  pause = setTimeout(() => {
    if (isEmpty(order)) fill($("order-cards"));
    else fire("order-select");
  }, PAUSE_MS);
}

const placeOf = (hook) => $(hook === "patient-view" ? "cards" : "order-cards");
const saidOf = (hook) => $(hook === "patient-view" ? "cards-said" : "order-said");

/** Calls the service of a hook, as an EHR does; what came back, or `null` where another call overtook it. */
async function fire(hook, about = null) {
  clearTimeout(pause);
  running[hook === "patient-view" ? hook : "order"]?.abort();
  const stop = new AbortController();
  running[hook === "patient-view" ? hook : "order"] = stop;
  const service = known.services[hook];
  const context = { userId: "Practitioner/example", patientId: patientId() };
  let added = orders;
  if (hook !== "patient-view") {
    const order = about ?? draft();
    added = orders.filter((each) => each.status !== "draft");
    const basket = [order, ...orders.filter((each) => each.status === "draft" && each.id !== order.id)];
    context.draftOrders = bundleOf(basket);
    if (hook === "order-select") context.selections = [`${order.resourceType}/${order.id}`];
  }
  if (hook === "patient-view") draw();
  const told = asked(hook, context, added);
  try {
    const result = await api.call(told, stop.signal);
    if (stop.signal.aborted) return null;
    developer.note({
      name: hook, address: `/cds-services/${service}`, request: result.request,
      status: result.status, response: result.response, ms: result.ms, trace: result.trace,
    });
    showCards(placeOf(hook), result, { accept: accept(hook, service), dismiss: dismiss(service) });
    fill(saidOf(hook), said(hook, result));
    return result;
  } catch (problem) {
    if (problem.name === "AbortError") return null;
    fill(placeOf(hook), h("div", { class: "refusal" }, h("p", {}, problem.message)));
    fill(saidOf(hook));
    return null;
  }
}

/** What the page sends for a call, or for what is drawn beside it. */
function asked(hook, context, added) {
  const request = { hook, hookInstance: crypto.randomUUID(), context };
  if (state.patient !== OWN) request.fhirServer = `${location.origin}/fhir`;
  return {
    service: known.services[hook], request, profile: state.profile, units: state.units, as_of: state.asOf, failing: state.failing,
    record: { ...record, entry: [...record.entry, ...added.map((resource) => ({ resource }))] },
  };
}

/** What a picture is made of, asked anew; `null` where another request overtook it, or nothing can be drawn. */
async function drawn(place, ask, more = {}) {
  running[place]?.abort();
  const stop = new AbortController();
  running[place] = stop;
  const context = { userId: "Practitioner/example", patientId: patientId() };
  try {
    return await ask({ ...asked("patient-view", context, orders), ...more }, stop.signal);
  } catch (problem) {
    if (problem.name !== "AbortError") fill($(place), h("p", { class: "quiet" }, problem.message));
    return null;
  }
}

async function draw() {
  const told = await drawn("pictures", api.pictures);
  if (told?.problem) fill($("pictures"), h("p", { class: "quiet" }, "Nothing can be drawn of this record."));
  else if (told) showPictures($("pictures"), told.pictures);
}

const bundleOf = (resources) => ({ resourceType: "Bundle", type: "collection", entry: resources.map((resource) => ({ resource })) });

function said(hook, result) {
  if (result.status !== 200) return `${hook}: refused`;
  const count = result.response.cards.length;
  return `${hook}: ${count === 1 ? "1 card" : `${count} cards`}, ${result.ms} ms`;
}

/** Signs an order: asks the service first; where it has something to say, the user decides. */
async function sign(order) {
  signing = order;
  if (order.id === DRAFT) change({ hook: "order-sign" });
  const result = await fire("order-sign", order);
  if (!result || signing !== order) return;
  if (result.status === 200 && !result.response.cards.length) {
    signed(order);
    return;
  }
  $("order-cards").append(h("div", { class: "decide" },
    h("p", {}, `${drugOf(order)} is not signed yet.`),
    h("button", { type: "button", on: { click: () => signed(order) } }, "Sign anyway"),
    h("button", { type: "button", class: "plain", on: { click: () => { signing = null; fill($("order-cards")); $("drug").focus(); } } }, "Back to the order")));
}

function signed(order) {
  signing = null;
  const here = order.id === DRAFT ? { ...order, id: `signed-${++drafts}` } : order;
  orders = [...orders.filter((each) => each.id !== order.id), { ...here, status: "active" }];
  if (order.id === DRAFT) clear();
  else fill($("order-cards"));
  fill($("order-said"), `Signed: ${drugOf(order)}.`);
  showChart();
}

function clear() {
  clearTimeout(pause);
  running.order?.abort();
  form.show(null);
  change({ order: form.order, hook: "patient-view" });
  fill($("order-cards"));
  fill($("order-said"));
}

// --- what is done with a card ------------------------------------------------------------------------------------------

const accept = (hook, service) => async (card, suggestion) => {
  for (const action of suggestion.actions ?? []) {
    if (action.type === "create" && action.resource) {
      orders = [...orders, { ...action.resource, id: `draft-${++drafts}`, authoredOn: state.asOf }];
    } else if (action.type === "update" && action.resource?.id === DRAFT) {
      form.show(fromResource(action.resource));
      typed(form.order);
    } else if (action.type === "update") {
      orders = orders.map((each) => (each.id === action.resource.id ? action.resource : each));
    }
  }
  showChart();
  return report(service, {
    card: card.uuid, outcome: "accepted", acceptedSuggestions: [{ id: suggestion.uuid }], outcomeTimestamp: new Date().toISOString(),
  });
};

const dismiss = (service) => async (card, reason, comment) => report(service, {
  card: card.uuid,
  outcome: "overridden",
  overrideReason: {
    ...(reason ? { reason: { code: reason.code, system: reason.system } } : {}),
    ...(comment ? { userComment: comment } : {}),
  },
  outcomeTimestamp: new Date().toISOString(),
});

async function report(service, entry) {
  const request = { feedback: [entry] };
  const { status, body } = await api.feedback(service, request);
  developer.note({ name: "feedback", address: `/cds-services/${service}/feedback`, request, status, response: body, trace: null });
  return status >= 200 && status < 300 ? "Feedback sent." : `Feedback was not taken (${status}).`;
}

// --- what is shown -----------------------------------------------------------------------------------------------------

function showSettings() {
  for (const [id, value] of [["profile", state.profile], ["units", state.units], ["as-of", state.asOf]]) $(id).value = value;
  developer.lookUps(known.keys, known.failures, state.failing, (key, how) => {
    const failing = { ...state.failing };
    if (how) failing[key] = how;
    else delete failing[key];
    change({ failing });
    fire("patient-view").then(() => (isEmpty(form.order) ? null : fire("order-select")));
  });
}

function showPatients() {
  const wanted = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = people.filter((each) => wanted.every((part) => `${each.name} ${each.shows} ${each.id}`.toLowerCase().includes(part)));
  fill($("patients"), rows.map((each) => h("li", {}, h("button", {
    type: "button", "aria-current": each.id === state.patient ? "true" : null,
    on: { click: () => { if (NARROW.matches) $("patients-box").open = false; open({ patient: each.id, hook: "patient-view", failing: null, order: null }); } },
  }, h("span", { class: "name" }, each.name, h("span", { class: "who" }, `${each.age} ${SEXES[each.sex] ?? ""}`)), h("span", { class: "shows" }, each.shows)))));
  // the list alone: the page stays where it is
  const [nav, here] = [document.querySelector("nav"), document.querySelector("#patients [aria-current]")];
  if (!NARROW.matches && !wanted.length && here) nav.scrollTop = here.offsetTop - nav.clientHeight / 3;
  fill($("count"), rows.length === people.length ? `${people.length} patients` : `${rows.length} of ${people.length} patients`);
}

function showChart() {
  const held = record.entry.map((each) => each?.resource).filter(Boolean);
  const patient = held.find((each) => each.resourceType === "Patient");
  const invented = people.find((each) => each.id === state.patient);
  const name = patient.name?.[0];
  const shown = [...(Array.isArray(name?.given) ? name.given : []), name?.family].filter(Boolean).join(" ") || name?.text || "Unnamed";
  const age = ageOn(patient.birthDate, state.asOf);
  fill($("patient-name"), shown);
  fill($("patient-facts"), [age === "" ? "" : `${age} years`, patient.gender, patient.birthDate ? `born ${patient.birthDate}` : ""].filter(Boolean).join(", "));
  fill($("patient-shows"), invented ? `${invented.shows} ${invented.expected}` : "Your own record. It stays in the memory of this page.");
  $("one-page").hidden = !invented;
  if (invented) $("one-page").href = `/summary?${new URLSearchParams({ patient: invented.id, profile: state.profile, units: state.units, as_of: state.asOf })}`;
  fill($("chart"), chart(held, orders.map(orderRow)));
  document.title = `${invented ? shown : "Own record"} \u2013 Bone Health CDS sandbox`;
}

function orderRow(order) {
  const draftStill = order.status === "draft";
  return h("div", { class: "order" },
    h("div", {}, h("strong", {}, drugOf(order)), h("span", { class: `tag ${draftStill ? "draft" : "signed"}` }, draftStill ? "Draft" : "Signed"),
      h("p", {}, inWords(order))),
    draftStill ? h("div", { class: "acts" },
      h("button", { type: "button", "aria-label": `Sign ${drugOf(order)}`, on: { click: () => sign(order) } }, "Sign"),
      h("button", {
        type: "button", class: "plain", "aria-label": `Remove ${drugOf(order)}`,
        on: { click: () => { orders = orders.filter((each) => each !== order); showChart(); } },
      }, "Remove")) : null);
}

async function share() {
  let words = "The address of this page now shows what you see.";
  if (state.patient === OWN) words = "A record of your own is not in the address. Only the settings are.";
  try {
    await navigator.clipboard.writeText(location.href);
    words = state.patient === OWN ? `Copied. ${words}` : "Link copied.";
  } catch {
    // not allowed: the address line has it
  }
  fill($("share-said"), words);
}

begin().catch((problem) => {
  fill($("failed"), `The page could not start: ${problem.message}`);
  $("failed").hidden = false;
});
