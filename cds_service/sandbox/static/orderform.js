// The order form: a drug by name, a dose by form or in words. It keeps one order and tells when that changes.

import { $, fill, h } from "./dom.js";
import { DOSE_UNITS, DURATIONS, FREQUENCIES, LONGEST_TAPER, ROUTES, emptyOrder, emptyStep, tidy } from "./order.js";

const SHOWN = 12;

/**
 * @param {Array} drugs of `/sandbox/api/drugs`
 * @param {function(object): void} changed called with the order, on every keystroke
 */
export function orderForm(drugs, changed) {
  let order = emptyOrder();
  let found = [];
  let at = -1;
  const name = $("drug");
  const list = $("drug-list");

  const options = (map) => Object.entries(map).map(([value, words]) => h("option", { value }, Array.isArray(words) ? words[0] : words));
  fill($("route"), options(ROUTES));

  function search() {
    const parts = name.value.toLowerCase().split(/\s+/).filter(Boolean);
    found = parts.length ? drugs.filter((each) => {
      const text = `${each.display} ${each.ingredient}`.toLowerCase();
      return parts.every((part) => text.includes(part));
    }).slice(0, SHOWN) : [];
    at = -1;
    showList();
  }

  function showList() {
    const open = found.length > 0;
    name.setAttribute("aria-expanded", String(open));
    list.hidden = !open;
    fill(list, found.map((each, number) => h("li", {
      role: "option", id: `drug-${number}`, "aria-selected": String(number === at),
      on: { mousedown: (event) => { event.preventDefault(); choose(each); } },
    }, each.display, h("span", { class: "kind" }, each.kind === "steroid" ? "steroid" : "bone drug"))));
    if (at >= 0) {
      name.setAttribute("aria-activedescendant", `drug-${at}`);
      list.children[at].scrollIntoView({ block: "nearest" });
    } else {
      name.removeAttribute("aria-activedescendant");
    }
  }

  function close() {
    found = [];
    at = -1;
    showList();
  }

  function choose(drug) {
    close();
    const route = drug.route in ROUTES ? drug.route : "";
    order = { ...order, name: drug.display, code: drug.code, route };
    name.value = drug.display;
    $("route").value = route;
    changed(order);
  }

  name.addEventListener("input", () => {
    // what is typed on is not the product that was chosen
    order = { ...order, name: name.value, code: "" };
    search();
    changed(order);
  });
  name.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && !found.length) search();
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves && found.length) {
      event.preventDefault();
      at = (at + moves[event.key] + found.length) % found.length;
      showList();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (at >= 0) choose(found[at]);
    } else if (event.key === "Escape") {
      close();
    }
  });
  name.addEventListener("blur", close);

  function showSteps() {
    fill($("steps"), order.steps.map((step, number) => {
      const set = (field) => (event) => {
        step[field] = event.target.value;
        changed(order);
      };
      const select = (field, map) => {
        const made = h("select", { name: `${field}-${number}`, on: { change: set(field) } }, options(map));
        made.value = step[field];
        return made;
      };
      const text = (field) => h("input", {
        type: "text", inputmode: "decimal", name: `${field}-${number}`, value: step[field], autocomplete: "off", on: { input: set(field) },
      });
      return h("fieldset", { class: "step" },
        h("legend", { class: order.steps.length > 1 ? "" : "visually-hidden" }, order.steps.length > 1 ? `Step ${number + 1}` : "Dose"),
        h("label", {}, "Dose", text("dose")), h("label", {}, "Unit", select("unit", DOSE_UNITS)),
        h("label", { class: "wide" }, "How often", select("freq", FREQUENCIES)),
        h("label", {}, "For", text("dur")), h("label", {}, "Period", select("durUnit", DURATIONS)),
        order.steps.length > 1 ? h("button", {
          type: "button", class: "plain", "aria-label": `Remove step ${number + 1}`,
          on: { click: () => { order.steps.splice(number, 1); showSteps(); changed(order); $("add-step").focus(); } },
        }, "Remove") : null);
    }));
    $("add-step").disabled = order.steps.length >= LONGEST_TAPER;
  }

  $("add-step").addEventListener("click", () => {
    const last = order.steps.at(-1);
    order.steps.push({ ...emptyStep(), unit: last.unit, freq: last.freq, durUnit: last.durUnit });
    showSteps();
    $("steps").lastElementChild.querySelector("input").focus();
    changed(order);
  });
  $("route").addEventListener("change", (event) => {
    order = { ...order, route: event.target.value };
    changed(order);
  });
  $("sig").addEventListener("input", (event) => {
    order = { ...order, sig: event.target.value };
    changed(order);
  });
  for (const radio of document.querySelectorAll("[name=mode]")) {
    radio.addEventListener("change", () => {
      order = { ...order, mode: radio.value };
      showMode();
      changed(order);
    });
  }

  function showMode() {
    for (const radio of document.querySelectorAll("[name=mode]")) radio.checked = radio.value === order.mode;
    $("by-form").hidden = order.mode !== "form";
    $("in-words").hidden = order.mode !== "words";
  }

  return {
    get order() {
      return order;
    },
    /** Shows an order, without telling. */
    show(given) {
      order = tidy(given);
      name.value = order.name;
      $("route").value = order.route;
      $("sig").value = order.sig;
      showSteps();
      showMode();
    },
  };
}
