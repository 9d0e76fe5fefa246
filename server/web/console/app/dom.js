// Building and updating pieces of the page.

const SVG = "http://www.w3.org/2000/svg";

/** An element. `properties`: on… are listeners, `class` and the rest attributes; false and absent: none. */
export function h(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same for SVG. */
export function s(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false || value === null) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat().filter((child) => child !== undefined && child !== false && child !== null),
  );
  return element;
}

export function attributes(element, values) {
  for (const [name, value] of Object.entries(values)) {
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
}

/** Sets text only where it differs, so that nothing is laid out, or read aloud, for nothing. */
export function setText(element, text) {
  const wanted = String(text);
  if (element.textContent !== wanted) element.textContent = wanted;
}

/**
 * Makes the children of `parent` stand for `items`, in order: what is there already stays and is updated.
 * `make(item)` gives {node, update(item)}.
 */
export class Children {
  #parent;
  #make;
  #byKey = new Map();

  constructor(parent, make) {
    this.#parent = parent;
    this.#make = make;
  }

  show(items, keyOf) {
    const kept = new Map();
    let before = null;
    for (const item of items) {
      const key = keyOf(item);
      const child = this.#byKey.get(key) ?? this.#make(item);
      child.update?.(item);
      kept.set(key, child);
      const wanted = before ? before.nextSibling : this.#parent.firstChild;
      if (child.node !== wanted) this.#parent.insertBefore(child.node, wanted);
      before = child.node;
    }
    for (const [key, child] of this.#byKey) if (!kept.has(key)) child.node.remove();
    this.#byKey = kept;
  }
}

let lastId = 0;

/** A label with its control. */
export function field(label, control, { hint, wide } = {}) {
  control.id ||= `field-${++lastId}`;
  const hintId = `${control.id}-hint`;
  if (hint) control.setAttribute("aria-describedby", hintId);
  return h(
    "div",
    { class: wide ? "field wide" : "field" },
    h("label", { for: control.id }, label),
    control,
    hint && h("div", { class: "hint", id: hintId }, hint),
  );
}

/** Buttons of which one is pressed: choices are [value, label]. */
export function segments(label, choices, chosen, onChoose) {
  const buttons = choices.map(([value, text]) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": String(value === chosen),
        onclick: () => {
          for (const [index, button] of buttons.entries())
            button.setAttribute("aria-pressed", String(choices[index][0] === value));
          onChoose(value);
        },
      },
      text,
    ),
  );
  return h("div", { class: "segments", role: "group", "aria-label": label }, buttons);
}

export function select(options, { value, ...properties } = {}) {
  const element = h(
    "select",
    properties,
    options.map(([key, text]) => h("option", { value: key }, text)),
  );
  if (value !== undefined) element.value = value;
  return element;
}

/** A table that can be scrolled sideways; headings are [text, class]. */
export function table(headings, body) {
  const row = h(
    "tr",
    {},
    headings.map(([text, kind]) => h("th", { class: kind }, text)),
  );
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, row), body));
}

/** A figure of a row of figures; update(value, more). */
export function figure(name, { unit, wide, extra } = {}) {
  const value = h("span");
  const more = h("div", { class: "more" });
  const node = h(
    "div",
    { class: wide ? "figure wide" : "figure" },
    h("div", { class: "name" }, name),
    h("div", { class: "value" }, value, unit && h("small", {}, ` ${unit}`)),
    more,
    extra,
  );
  return {
    node,
    update(text, moreText = "") {
      setText(value, text);
      setText(more, moreText);
    },
  };
}

/** A short message that goes away by itself. */
export function notify(text, { bad = false } = {}) {
  const notice = h("div", { class: bad ? "notice bad" : "notice" }, text);
  document.getElementById("notices").append(notice);
  setTimeout(() => notice.remove(), bad ? 10_000 : 5_000);
}
