// The pictures of a chart, and the rule map with its sliders. A picture is an image: nothing in it can become part of the page.

import { $, fill, h } from "./dom.js";

const PAUSE_MS = 250;
const NARROW = matchMedia("(max-width: 34rem)");

/** Shows pictures, each with the same in words. */
export function showPictures(place, pictures) {
  fill(place, pictures.map(figure));
}

function figure(picture) {
  // where it is too narrow to be read it scrolls, and the keyboard must get there
  const scrolls = NARROW.matches ? { tabindex: 0, role: "group", "aria-label": picture.title } : {};
  return h("figure", {},
    h("figcaption", { class: "visually-hidden" }, picture.title),
    h("div", { class: "drawing", ...scrolls },
      h("img", { src: `data:image/svg+xml,${encodeURIComponent(picture.svg)}`, alt: picture.description })),
    h("details", {}, h("summary", {}, "The same in words"), h("p", {}, picture.description), table(picture)));
}

function table(picture) {
  return h("table", {},
    h("thead", {}, h("tr", {}, picture.headers.map((each) => h("th", { scope: "col" }, each)))),
    h("tbody", {}, picture.rows.map((row) => h("tr", {}, row.map((cell, at) => h("td", { data: { label: picture.headers[at] } }, cell))))));
}

/**
 * The sliders.
 * @param {function(string, object): Promise<object|null>} ask what to vary, and what is set to another value meanwhile
 */
export function whatIf(ask) {
  let held = {};
  let quantities = [];
  let pause;
  const vary = $("vary");
  const box = $("what-if");

  async function again() {
    const answer = await ask(vary.value || "age", held);
    if (!answer) return;
    if (!quantities.length) {
      quantities = answer.quantities;
      fill(vary, quantities.map((each) => h("option", { value: each.quantity }, each.name)));
    }
    quantities = answer.quantities;
    if (!$("sliders").contains(document.activeElement)) sliders();
    if (answer.picture) showPictures($("rule-map"), [answer.picture]);
    else fill($("rule-map"), h("p", {}, answer.problem));
  }

  function sliders() {
    fill($("sliders"), quantities.filter((each) => each.quantity !== vary.value).map((each) => {
      const start = held[each.quantity] ?? each.present ?? each.low;
      const said = h("output", {}, words(each));
      const slider = h("input", {
        type: "range", min: each.low, max: each.high, step: each.step, value: start,
        on: {
          input: () => {
            held[each.quantity] = Number(slider.value);
            fill(said, words(each));
            clearTimeout(pause);
            pause = setTimeout(again, PAUSE_MS);
          },
        },
      });
      return h("label", {}, h("span", {}, each.name, ": ", said), slider);
    }));
  }

  function words(each) {
    const value = held[each.quantity];
    if (value !== undefined) return `${value} ${each.unit}`;
    return each.present === null ? "as on record" : `as on record (${`${Number(each.present.toFixed(2))} ${each.unit}`.trim()})`;
  }

  vary.addEventListener("change", () => {
    delete held[vary.value];
    sliders();
    again();
  });
  $("as-on-record").addEventListener("click", () => {
    held = {};
    sliders();
    again();
  });
  box.addEventListener("toggle", () => (box.open ? again() : null));
  return {
    /** Another chart, or the same in another way. */
    renew({ forget = false } = {}) {
      if (forget) held = {};
      if (box.open) again();
    },
  };
}
