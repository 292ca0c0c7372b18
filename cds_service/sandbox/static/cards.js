// Cards as an EHR shows them: what they say, what can be accepted, and how to be rid of them.

import { h, fill, link, sign, tree } from "./dom.js";
import { wordsOf } from "./api.js";

const WORDS = { info: "Information", warning: "Warning", critical: "Critical" };

/**
 * Shows the answer to a call.
 * @param {HTMLElement} place
 * @param {object} result of `/sandbox/api/call`
 * @param {object} acts `accept(card, suggestion)`, `dismiss(card, reason, comment)`; both say how it went
 */
export function showCards(place, result, acts) {
  if (result.status !== 200) {
    fill(place, h("div", { class: "refusal" }, h("p", {}, h("strong", {}, `The service refused the call (${result.status}).`)),
      h("p", {}, wordsOf(result.response)),
      h("p", { class: "quiet" }, "Many EHRs show nothing at all here. It does not mean that there is nothing to say.")));
    return;
  }
  const cards = result.response.cards ?? [];
  if (!cards.length) {
    fill(place, h("p", { class: "no-card" }, "No card. ", h("span", { class: "quiet" },
      "The service has no advice for this call. That is not the same as no risk.")));
    return;
  }
  fill(place, cards.map((card, at) => one(card, result.details[at], acts)));
}

function one(card, detail, acts) {
  const indicator = card.indicator in WORDS ? card.indicator : "info";
  const foot = h("div", { class: "card-foot" });
  const made = h("article", { class: `card ${indicator}`, data: { uuid: card.uuid ?? "" } },
    h("header", {}, sign(indicator), h("span", { class: "word" }, WORDS[indicator]),
      h("span", { class: "source" }, source(card.source))),
    h("h4", {}, card.summary),
    detail?.length ? h("details", { class: "detail", open: true }, h("summary", {}, "Details"), h("div", {}, tree(detail))) : null,
    (card.links ?? []).length ? h("ul", { class: "links" }, card.links.map((each) => h("li", {}, link(each.url, [each.label])))) : null,
    foot);
  fill(foot, suggestions(card, acts, made), dismissal(card, acts, made));
  return made;
}

function source(told) {
  const label = told?.label ?? "";
  return told?.url ? link(told.url, [label]) : label;
}

function suggestions(card, acts, made) {
  return (card.suggestions ?? []).map((suggestion) => {
    const words = suggestion.actions?.[0]?.description ?? "";
    const button = h("button", {
      type: "button", class: "accept", title: words === suggestion.label ? null : words,
      on: {
        click: async () => {
          button.disabled = true;
          note(made, `Accepted: ${suggestion.label}. ${await acts.accept(card, suggestion)}`);
        },
      },
    }, suggestion.label);
    return button;
  });
}

function dismissal(card, acts, made) {
  const reasons = card.overrideReasons ?? [];
  const open = h("button", { type: "button", class: "plain", "aria-expanded": "false" }, "Dismiss\u2026");
  const choice = h("select", {}, h("option", { value: "" }, "Choose a reason"),
    reasons.map((each, at) => h("option", { value: at }, each.display ?? each.code)));
  const comment = h("input", { type: "text", maxlength: 200, autocomplete: "off" });
  const form = h("form", { class: "dismiss", hidden: true },
    h("label", {}, "Reason", choice), h("label", {}, "Comment (optional)", comment),
    h("button", { type: "submit" }, "Dismiss card"));
  open.addEventListener("click", () => {
    form.hidden = !form.hidden;
    open.setAttribute("aria-expanded", String(!form.hidden));
    if (!form.hidden) choice.focus();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const reason = choice.value === "" ? null : reasons[Number(choice.value)];
    if (!reason && !comment.value.trim()) {
      choice.setAttribute("aria-invalid", "true");
      choice.focus();
      return;
    }
    form.remove();
    open.remove();
    const said = reason?.display ?? reason?.code ?? "in your own words";
    made.classList.add("dismissed");
    made.querySelector(".detail")?.removeAttribute("open");
    note(made, `Dismissed: ${said}. ${await acts.dismiss(card, reason, comment.value.trim())}`);
  });
  return [open, form];
}

function note(card, text) {
  card.querySelector(".card-foot").append(h("p", { class: "note", role: "status" }, text));
}
