// As much of a browser's document as the page's scripts use, so that what they do can be tested without a browser.
// What is not here is an error, not a silent nothing.
const fs = require("node:fs");

class Element {
  constructor(name) {
    Object.assign(this, { name, attributes: {}, children: [], parentNode: null, listeners: {}, hidden: false, open: false, own: "", chosen: undefined });
    this.clientWidth = 720;
  }
  setAttribute(key, value) { this.attributes[key] = String(value); if (key === "hidden") this.hidden = true; }
  getAttribute(key) { return this.attributes[key] ?? null; }
  get id() { return this.attributes.id ?? ""; }
  get dataset() { return { filter: this.attributes["data-filter"] }; }
  get checked() { return this.ticked ?? "checked" in this.attributes; }
  set checked(value) { this.ticked = value; }
  get value() { return this.chosen ?? (this.name === "select" ? (this.children[0]?.attributes.value ?? "") : ""); }
  set value(value) { this.chosen = String(value); }
  get firstChild() { return this.children[0]; }
  get cells() { return this.children; }
  get textContent() { return this.own + this.children.map((child) => (typeof child === "string" ? child : child.textContent)).join(""); }
  set textContent(text) { this.own = text; this.children = []; }
  append(...parts) {
    for (const part of parts) {
      if (part instanceof Element) { if (part.parentNode) part.parentNode.children = part.parentNode.children.filter((one) => one !== part); part.parentNode = this; }
      this.children.push(part);
    }
  }
  replaceChildren(...parts) { this.children = []; this.own = ""; this.append(...parts); }
  after(...parts) { this.parentNode.append(...parts); }
  focus() {}
  addEventListener(kind, act) { (this.listeners[kind] ??= []).push(act); }
  getBoundingClientRect() { return { left: 0, top: 0 }; }
  fire(kind, event = {}) { for (const act of this.listeners[kind] ?? []) act({ preventDefault() { this.prevented = true; }, ...event }); }
  all() { return this.children.filter((child) => child instanceof Element).flatMap((child) => [child, ...child.all()]); }
  querySelectorAll(selector) {
    const within = (outer, test) => this.all().filter((item) => item.name === outer).flatMap((item) => item.all().filter(test));
    if (selector === "tbody tr:not(.group)") return within("tbody", (item) => item.name === "tr" && item.attributes.class !== "group");
    if (selector === "thead tr:last-child > *") return within("thead", (item) => item.name === "tr").at(-1).children;
    const [name, kind] = selector.split("[")[0].split(".");
    const attribute = selector.match(/\[([a-z-]+)\]/)?.[1];
    return this.all().filter((item) => (!name || item.name === name) && (!kind || (item.attributes.class ?? "").split(" ").includes(kind)) && (!attribute || attribute in item.attributes));
  }
  querySelector(selector) { return this.querySelectorAll(selector)[0]; }
}

const made = (name, attributes = {}, inside = []) => {
  const item = new Element(name);
  for (const [key, value] of Object.entries(attributes)) item.setAttribute(key, value);
  item.append(...[].concat(inside));
  return item;
};

/** Run a script of the page in a document with this body. */
const run = (script, body) => {
  const document = made("html", {}, body);
  document.createElement = (name) => new Element(name);
  document.createElementNS = (space, name) => new Element(name);
  new Function("document", "addEventListener", "module", fs.readFileSync(script, "utf-8"))(document, () => {}, undefined);
  return document;
};

const byId = (document, id) => document.all().find((item) => item.id === id);

module.exports = { made, run, byId };
