// Building elements. Text is always text: nothing here, or anywhere in the console, parses markup.

/** @typedef {Node | string | number | false | null | undefined | Child[]} Child */

const shown = (children) =>
  children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);

/**
 * Make an element. Properties that begin with `on` are listeners, `value` is a property, all others attributes;
 * those that are false, null or undefined are left out.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...Child} children
 * @returns {any} the element: what it can do follows from its tag
 */
export function h(tag, properties = {}, ...children) {
  /** @type {any} */
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...shown(children));
  if (tag === "select" && properties.value !== undefined) element.value = properties.value;
  return element;
}

/** Replace everything in an element. */
export function fill(element, ...children) {
  element.replaceChildren(...shown(children));
  return element;
}

/**
 * Like `fill`, for rebuilt content: keyboard focus stays at the same place, which is recognised by its label, name
 * or text.
 */
export function refill(element, ...children) {
  const key = element.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  fill(element, ...children);
  if (key === null) return element;
  const found = named(element, key);
  if (found) found.focus();
  else {
    element.setAttribute("tabindex", "-1");
    element.focus({ preventScroll: true });
  }
  return element;
}

/** Return a function that restores the current focus, even if that place was rebuilt meanwhile. */
export function wayBack() {
  /** @type {any} */
  const place = document.activeElement;
  if (!place || place === document.body) return () => {};
  const key = nameOf(place);
  return () => {
    const found = place.isConnected ? place : named(document, key);
    if (found) found.focus();
  };
}

/** @returns {any} */
const named = (within, key) =>
  [...within.querySelectorAll("a, button, input, select, textarea, summary, [tabindex]")].find(
    (candidate) => nameOf(candidate) === key,
  );

/** @param {any} element */
const nameOf = (element) => element.getAttribute("aria-label") || element.name || element.textContent.trim();

let unique = 0;

/** An id for one label and its control. */
export function freshId() {
  unique += 1;
  return `f${unique}`;
}
