// What went over the wire, and why the rules said what they said.

import { $, fill, h } from "./dom.js";
import { curlLine } from "./curl.js";

const MOST = 20;
const VERDICTS = {
  recommend: ["\u25cf", "Fired"],
  "cannot-tell": ["?", "Cannot tell"],
  satisfied: ["\u2713", "Satisfied"],
  "not-applicable": ["\u2013", "Not applicable"],
};
const log = [];
let chosen = null;

/** Adds a call to the list, and shows it. */
export function note(entry) {
  log.unshift({ at: new Date(), ...entry });
  log.length = Math.min(log.length, MOST);
  chosen = log[0];
  show();
}

/** Forgets the calls: another chart is open. */
export function forget() {
  log.length = 0;
  chosen = null;
  show();
}

function show() {
  fill($("calls"), log.map((entry) => h("li", {}, h("button", {
    type: "button", "aria-pressed": String(entry === chosen), on: { click: () => { chosen = entry; show(); } },
  }, h("strong", {}, entry.name), h("span", {}, summary(entry))))));
  if (!chosen) {
    for (const id of ["panel-request", "panel-response", "panel-why", "panel-curl"]) fill($(id), h("p", { class: "quiet" }, "No call yet."));
    return;
  }
  fill($("panel-request"), h("p", { class: "quiet" }, `POST ${chosen.address}`), json(chosen.request));
  fill($("panel-response"), h("p", { class: "quiet" }, `Status ${chosen.status}${chosen.ms === undefined ? "" : `, ${chosen.ms} ms`}`),
    chosen.response === null ? h("p", {}, "No body.") : json(chosen.response));
  fill($("panel-curl"), curl(chosen));
  fill($("panel-why"), why(chosen.trace));
}

function summary(entry) {
  const cards = entry.response?.cards;
  return [entry.status, cards ? `${cards.length} card${cards.length === 1 ? "" : "s"}` : "", entry.ms === undefined ? "" : `${entry.ms} ms`]
    .filter((each) => each !== "").join(" \u00b7 ");
}

function json(value) {
  return h("pre", { tabindex: 0 }, JSON.stringify(value, null, 2));
}

function curl(entry) {
  const line = curlLine(`${location.origin}${entry.address}`, entry.request);
  const said = h("span", { role: "status", class: "quiet" });
  const copy = h("button", {
    type: "button",
    on: {
      click: async () => {
        try {
          await navigator.clipboard.writeText(line);
          fill(said, "Copied.");
        } catch {
          fill(said, "The browser did not allow it; select the text instead.");
        }
      },
    },
  }, "Copy");
  return [h("p", { class: "quiet" }, "For a POSIX shell. The service answers it with the profile and the day of its settings, not with those chosen here."),
    h("p", {}, copy, " ", said), h("pre", { tabindex: 0, id: "curl-line" }, line)];
}

function why(trace) {
  if (!trace) return h("p", { class: "quiet" }, "No rule was asked: the call was refused before, or it was feedback.");
  const by = (verdict) => trace.outcomes.filter((each) => each.verdict === verdict);
  return [
    h("p", {}, `In scope of the service: ${trace.scope}. Day ${trace.as_of}, profile ${trace.profile}, rules ${trace.rule_set}.`),
    trace.silent ? h("p", {}, h("strong", {}, trace.silent)) : null,
    Object.entries(VERDICTS).map(([verdict, [mark, words]]) => {
      const rules = by(verdict);
      return h("details", { class: `verdict ${verdict}`, open: verdict === "recommend" },
        h("summary", {}, h("span", { class: "mark", "aria-hidden": "true" }, mark), ` ${words} (${rules.length})`),
        rules.length ? h("ul", {}, rules.map(rule)) : h("p", { class: "quiet" }, "None."));
    }),
    trace.unread.length ? h("details", {}, h("summary", {}, `Set aside (${trace.unread.length})`),
      h("ul", {}, trace.unread.map((each) => h("li", {}, `${each.resource}: ${each.reason}`)))) : null,
  ];
}

function rule(each) {
  const values = Object.entries(each.values).map(([name, value]) => `${name.replaceAll("_", " ")} ${shown(value)}`).join(", ");
  return h("li", {}, h("strong", {}, `${each.rule} `), each.name,
    each.because.length ? h("ul", {}, each.because.map((line) => h("li", {}, line))) : null,
    each.missing.length ? h("p", { class: "missing" }, `Missing: ${each.missing.join("; ")}`) : null,
    each.not_known.length ? h("p", { class: "missing" }, `Stayed open: ${each.not_known.join("; ")}`) : null,
    values ? h("p", { class: "quiet" }, values) : null);
}

const shown = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

/** The switches that make look-ups fail. */
export function lookUps(keys, failures, failing, changed) {
  fill($("panel-look-ups"),
    h("p", { class: "quiet" }, "What the EHR could not look up. The page sends what a client sends then, and the service reads it as it would anywhere."),
    h("div", { class: "look-ups" }, keys.map((each) => h("label", {}, h("span", {}, each.name, h("code", {}, each.key)),
      h("select", { name: `fail-${each.key}`, on: { change: (event) => changed(each.key, event.target.value) } },
        h("option", { value: "" }, "Works"),
        Object.entries(failures).map(([how, words]) => h("option", { value: how, selected: failing[each.key] === how }, words)))))));
}

/** Tabs after the ARIA pattern: arrows move, the chosen one is in the tab order. */
export function tabs(opened) {
  const all = [...document.querySelectorAll("[role=tab]")];
  const choose = (tab, focus) => {
    for (const each of all) {
      const on = each === tab;
      each.setAttribute("aria-selected", String(on));
      each.tabIndex = on ? 0 : -1;
      $(each.getAttribute("aria-controls")).hidden = !on;
    }
    if (focus) tab.focus();
    opened(tab.dataset.panel);
  };
  all.forEach((tab, at) => {
    tab.addEventListener("click", () => choose(tab, false));
    tab.addEventListener("keydown", (event) => {
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      choose(all.at(to % all.length), true);
    });
  });
  return (name) => choose(all.find((tab) => tab.dataset.panel === name) ?? all[0], false);
}
