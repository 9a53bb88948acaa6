// Keys press the buttons and links of the page; without this script they are clicked.
"use strict";

const STORE = "dolly-review-keys";
const defaults = JSON.parse(document.body.dataset.keys);
let chosen = load();
let shownAt = performance.now();

function load() {
  try {
    return { on: true, keys: {}, ...JSON.parse(localStorage.getItem(STORE) || "{}") };
  } catch {
    return { on: true, keys: {} };
  }
}

function keyOf(action) {
  return chosen.keys[action] ?? defaults[action];
}

function isTyping(target) {
  return target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") !== null;
}

function press(name) {
  const found = [...document.querySelectorAll(`[data-press="${name}"]`)].find((one) => one.checkVisibility());
  if (!found) return false;
  if (found.matches("input, textarea")) found.focus();
  else found.click();
  // at once, not with the toggle event: what is typed next is meant for the field
  if (found.matches("summary")) begin(found.parentElement);
  return true;
}

function begin(panel) {
  if (!panel.open || panel.contains(document.activeElement) && isTyping(document.activeElement)) return;
  panel.querySelector("[data-first]")?.focus();
  panel.scrollIntoView({ block: "nearest" });
}

function reasonFor(key) {
  const open = document.querySelector("#reject[open]");
  return open && [...open.querySelectorAll("[data-reason-key]")].find((one) => one.dataset.reasonKey === key);
}

function choiceFor(key) {
  if (document.querySelector("details[data-panel][open]")) return undefined;
  return [...document.querySelectorAll("[data-choice-key]")].find((one) => one.dataset.choiceKey === key);
}

document.addEventListener("keydown", (event) => {
  // in the note beside the reasons: only a reason rejects
  if (event.key === "Enter" && event.target.matches("#reject input")) {
    event.preventDefault();
    return;
  }
  if (event.ctrlKey && event.key === "Enter" && event.target.form) {
    event.target.form.requestSubmit(event.target.form.querySelector("[data-submit]"));
    return;
  }
  if (event.key === "Escape") {
    close();
    return;
  }
  // a key that comes before the next row does is meant for a row that nobody has seen
  if (document.querySelector(".htmx-request")) return;
  if (!chosen.on || event.ctrlKey || event.metaKey || event.altKey || event.repeat || isTyping(event.target)) return;
  const meant = reasonFor(event.key) || choiceFor(event.key);
  if (meant) {
    event.preventDefault();
    meant.click();
    return;
  }
  const action = Object.keys(defaults).find((name) => keyOf(name) === event.key);
  if (action && press(action)) event.preventDefault();
});

function close() {
  if (isTyping(document.activeElement)) document.activeElement.blur();
  for (const one of document.querySelectorAll("details[data-panel][open]")) one.open = false;
}

// one panel at a time; an opened one gets the focus where it starts
document.addEventListener("toggle", (event) => {
  const panel = event.target;
  if (!panel.matches?.("details[data-panel]") || !panel.open) return;
  for (const one of document.querySelectorAll("details[data-panel][open]")) if (one !== panel) one.open = false;
  begin(panel);
}, true);

document.addEventListener("submit", (event) => {
  const field = event.target.querySelector("input[name=ms]");
  if (field) field.value = Math.round(performance.now() - shownAt);
}, true);

function arrived() {
  shownAt = performance.now();
  for (const one of document.querySelectorAll(".top nav a")) {
    if (location.pathname.split("/")[1] === one.pathname.slice(1)) one.setAttribute("aria-current", "page");
    else one.removeAttribute("aria-current");
  }
  for (const one of document.querySelectorAll("kbd[data-for]")) {
    one.textContent = keyOf(one.dataset.for);
    one.hidden = !chosen.on;
  }
  const said = document.querySelector("main")?.dataset.said || "";
  const live = document.querySelector("#said");
  if (live.textContent !== said) live.textContent = said;
}

document.addEventListener("htmx:afterSettle", () => {
  // not away from a field that was opened while the page settled
  if (!isTyping(document.activeElement)) document.querySelector("main h1")?.focus({ preventScroll: true });
  arrived();
});
document.addEventListener("DOMContentLoaded", arrived);
if (document.readyState !== "loading") arrived();

// the page where keys are changed
document.addEventListener("input", (event) => {
  const box = event.target;
  if (box.matches("[data-keys-on]")) chosen.on = box.checked;
  else if (box.matches("[data-remap]") && [...box.value].length === 1) chosen.keys[box.dataset.remap] = box.value;
  else return;
  localStorage.setItem(STORE, JSON.stringify(chosen));
  arrived();
});
