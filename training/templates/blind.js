"use strict";
// Votes stand in localStorage under the digest of the ballots, in the order in which they were cast, so that undo knows
// the last one. Nothing here knows whose answers these are.

const ballots = [...document.querySelectorAll(".ballot")];
const digest = document.body.dataset.ballots;
const store = `dolly-votes-${digest}`;
const voter = document.getElementById("voter");
const keys = document.getElementById("keys");
const help = document.getElementById("help");
const done = document.getElementById("done");
const state = { voter: "", keys: true, votes: [], ...read() };
let open = 0;

function read() {
  try {
    return JSON.parse(localStorage.getItem(store) || "{}");
  } catch {
    return {};
  }
}

function keep() {
  try {
    localStorage.setItem(store, JSON.stringify(state));
  } catch {
    // private windows may refuse: the votes are still on the page, to be exported
  }
}

function voteOn(number) {
  return state.votes.find((one) => one.ballot === number)?.vote;
}

function cast(vote) {
  if (open >= ballots.length) return;
  state.votes = [...state.votes.filter((one) => one.ballot !== open + 1), { ballot: open + 1, vote }];
  keep();
  show(firstOpen(open));
}

function undo() {
  const last = state.votes.pop();
  keep();
  show(last ? last.ballot - 1 : open);
}

// the first pair without a vote from here on, else from the beginning, else the end
function firstOpen(from) {
  const places = ballots.map((_, place) => (place + from) % ballots.length);
  return places.find((place) => !voteOn(place + 1)) ?? ballots.length;
}

function show(place, focus = true) {
  open = Math.max(0, Math.min(place, ballots.length));
  ballots.forEach((one, at) => one.classList.toggle("is-open", at === open));
  done.hidden = open < ballots.length;
  const vote = voteOn(open + 1);
  document.querySelectorAll("[data-vote]").forEach((one) => {
    one.setAttribute("aria-pressed", String(one.dataset.vote === vote));
    one.disabled = open >= ballots.length;
  });
  ballots[open]?.querySelectorAll(".answer").forEach((one, side) => {
    one.classList.toggle("is-chosen", vote === ["left", "right"][side]);
  });
  document.getElementById("bar").value = state.votes.length;
  document.getElementById("progress").textContent = `${state.votes.length} of ${ballots.length} pairs voted on.`;
  document.body.classList.toggle("no-keys", !state.keys);
  const target = ballots[open] ?? done;
  if (focus) {
    target.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }
}

function exportVotes() {
  const votes = [...state.votes].sort((one, other) => one.ballot - other.ballot);
  const plain = JSON.stringify({ kind: "dolly-votes", ballots: digest, voter: state.voter, votes }, null, 2);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${plain}\n`], { type: "application/json" }));
  link.download = `votes${state.voter ? `-${state.voter.replace(/[^\p{L}\p{N}]+/gu, "-")}` : ""}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const actions = {
  undo,
  before: () => show(open - 1),
  next: () => show(open + 1),
  help: () => help.showModal(),
  export: exportVotes,
};
const meant = { 1: "left", 2: "right", 0: "tie", s: "skip", u: "undo", j: "next", k: "before", "?": "help" };

function act(name) {
  if (actions[name]) actions[name]();
  else cast(name);
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (!state.keys || typing || help.open || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
  const name = meant[event.key];
  if (!name) return;
  event.preventDefault();
  act(name);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-vote], [data-do]");
  if (button) act(button.dataset.vote || button.dataset.do);
});
voter.addEventListener("input", () => {
  state.voter = voter.value.trim();
  keep();
});
keys.addEventListener("change", () => {
  state.keys = keys.checked;
  document.body.classList.toggle("no-keys", !state.keys);
  keep();
});

document.documentElement.classList.add("scripted");
voter.value = state.voter;
keys.checked = state.keys;
show(firstOpen(0), false);
