// Elements from values. Nothing here, and nothing that uses it, ever reads text as HTML.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element.
 * @param {string} tag
 * @param {object} [given] `class`, `on` (event to listener), `data`; everything else is an attribute. `false` and `null` are left out.
 * @param {...(Node|string|number|null|Array)} children strings become text
 */
export function h(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    } else if (name === "data") {
      Object.assign(made.dataset, value);
    } else if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? "" : String(value));
    }
  }
  made.append(...flat(children));
  return made;
}

/** Puts children in place of those an element has. */
export function fill(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

function flat(children) {
  return children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== "").map((each) =>
    each instanceof Node ? each : String(each));
}

const TAGS = new Set(["p", "ul", "ol", "li", "strong", "em", "code", "br", "h4"]);

/** The node tree of a card's detail, as the server made it from Markdown. */
export function tree(nodes) {
  return (nodes ?? []).map((node) => {
    if (typeof node === "string") return node;
    const children = tree(node.children);
    if (node.tag === "a") return link(node.href, children);
    return TAGS.has(node.tag) ? h(node.tag, {}, children) : h("span", {}, children);
  });
}

/** A link to another place; only words where the address is none of the web. */
export function link(address, children) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return h("span", {}, children);
  }
  if (!["http:", "https:"].includes(url.protocol)) return h("span", {}, children);
  return h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, children,
    h("span", { class: "visually-hidden" }, " (opens in a new tab)"));
}

const SHAPES = {
  info: ["M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z", "M7 7h2v5H7z M7 4h2v2H7z"],
  warning: ["M8 1.2 15.6 15H.4z", "M7.2 6h1.6v5H7.2z M7.2 12h1.6v1.6H7.2z"],
  critical: ["M5 1h6l4 4v6l-4 4H5l-4-4V5z", "M7.1 4h1.8v5H7.1z M7.1 10.2h1.8V12H7.1z"],
};

/** The sign of an indicator: circle, triangle or octagon, so that it can be told without colour. */
export function sign(indicator) {
  const [outline, mark] = SHAPES[indicator] ?? SHAPES.info;
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of [["viewBox", "0 0 16 16"], ["aria-hidden", "true"], ["class", "sign"]]) svg.setAttribute(name, value);
  for (const [shape, kind] of [[outline, "outline"], [mark, "mark"]]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", shape);
    path.setAttribute("class", kind);
    svg.append(path);
  }
  return svg;
}

export const $ = (id) => document.getElementById(id);
