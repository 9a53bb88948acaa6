// Draws the topic map; the table beside it says the same without this script.
"use strict";

let points = null;
let nearest = -1;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

async function drawMap() {
  const canvas = document.querySelector("#map");
  if (!canvas) return;
  points ??= await (await fetch("/map.json")).json();
  paint(canvas, null);
  canvas.dataset.drawn = points.pos.length;
}

function at(canvas, index) {
  const edge = 30;
  const size = canvas.width - 2 * edge;
  return [edge + (points.x[index] / 1000) * size, edge + (points.y[index] / 1000) * size];
}

function paint(canvas, topic) {
  const brush = canvas.getContext("2d");
  brush.clearRect(0, 0, canvas.width, canvas.height);
  const radius = points.pos.length > 5000 ? 2 : 5;
  const colours = [colour("--lost"), colour("--kept")];
  // rejected rows last, or the many kept ones would hide them
  for (const kept of [1, 0]) {
    brush.fillStyle = colours[kept];
    for (let index = 0; index < points.pos.length; index += 1) {
      if (points.kept[index] !== kept) continue;
      const faint = topic !== null && points.topic[index] !== topic;
      brush.globalAlpha = faint ? 0.06 : kept ? 0.35 : 0.9;
      const [x, y] = at(canvas, index);
      brush.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
    }
  }
  brush.globalAlpha = 1;
}

function under(canvas, event) {
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  const x = (event.clientX - box.left) * scale;
  const y = (event.clientY - box.top) * scale;
  let best = -1;
  let least = (12 * scale) ** 2;
  for (let index = 0; index < points.pos.length; index += 1) {
    const [px, py] = at(canvas, index);
    const apart = (px - x) ** 2 + (py - y) ** 2;
    if (apart < least) [best, least] = [index, apart];
  }
  return best;
}

async function tell(canvas, event) {
  if (!points) return;
  const found = under(canvas, event);
  if (found < 0 || found === nearest) return;
  nearest = found;
  const answer = await fetch(`/map/${points.pos[found]}`);
  if (!answer.ok || nearest !== found) return;
  const row = await answer.json();
  const link = document.createElement("a");
  link.textContent = row.text;
  if (row.link) link.href = row.link;
  document.querySelector("#point").replaceChildren(link, ` ${row.why}`);
}

let waiting = 0;
document.addEventListener("mousemove", (event) => {
  if (event.target.id !== "map") return;
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(() => tell(event.target, event));
});
document.addEventListener("click", (event) => {
  if (event.target.id === "map") document.querySelector("#point a[href]")?.click();
});
for (const [name, on] of [["mouseover", true], ["focusin", true], ["mouseout", false], ["focusout", false]]) {
  document.addEventListener(name, (event) => {
    const row = event.target.closest?.("tr[data-topic]");
    const canvas = document.querySelector("#map");
    if (row && canvas && points) paint(canvas, on ? Number(row.dataset.topic) : null);
  });
}
document.addEventListener("htmx:afterSettle", drawMap);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawMap);
drawMap();
