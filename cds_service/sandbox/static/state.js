// What can be shared: it stands behind the # of the address, which browsers do not send to any server.

import { isEmpty } from "./order.js";

export const OWN = "own";

/** What the address says; unknown names and values are passed over. */
export function read(known) {
  const told = new URLSearchParams(location.hash.slice(1));
  const one = (name, allowed, otherwise) => (allowed.includes(told.get(name)) ? told.get(name) : otherwise);
  const failing = {};
  for (const each of (told.get("fail") ?? "").split(",")) {
    const [key, how] = each.split(":");
    if (known.keys.includes(key) && known.failures.includes(how)) failing[key] = how;
  }
  return {
    patient: one("patient", known.patients, known.first),
    hook: one("hook", ["patient-view", "order-select", "order-sign"], "patient-view"),
    profile: one("profile", known.profiles, known.profile),
    units: one("units", known.units, "profile"),
    asOf: /^\d{4}-\d{2}-\d{2}$/.test(told.get("as-of") ?? "") ? told.get("as-of") : known.asOf,
    failing: told.has("fail") ? failing : null,
    // an empty one: the order that comes with the patient was taken away
    order: told.get("order") === "" ? false : parsed(told.get("order")),
    panel: told.get("panel") ?? "",
  };
}

function parsed(text) {
  try {
    const order = JSON.parse(text);
    return order && typeof order === "object" && !Array.isArray(order) ? order : null;
  } catch {
    return null;
  }
}

/** Writes the state. A record of one's own, and what is ordered in it, never stand in the address. */
export function write(state, known, { asNewPage = false } = {}) {
  const told = new URLSearchParams();
  const own = state.patient === OWN;
  if (!own) told.set("patient", state.patient);
  if (state.hook !== "patient-view" && !own) told.set("hook", state.hook);
  if (state.profile !== known.profile) told.set("profile", state.profile);
  if (state.units !== "profile") told.set("units", state.units);
  if (state.asOf !== known.asOf) told.set("as-of", state.asOf);
  const failing = Object.entries(state.failing).map(([key, how]) => `${key}:${how}`).join(",");
  if (failing || Object.keys(state.preset ?? {}).length) told.set("fail", failing);
  if (!own && !isEmpty(state.order)) told.set("order", JSON.stringify(state.order));
  else if (!own && state.presetOrder) told.set("order", "");
  if (state.panel) told.set("panel", state.panel);
  const address = `${location.pathname}#${told}`;
  if (asNewPage) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}
