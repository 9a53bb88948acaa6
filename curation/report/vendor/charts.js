"use strict";
// Hands the page's numbers to ECharts. Texts are data: tooltips are built as text, never as HTML.
(function () {
  const data = JSON.parse(document.getElementById("charts").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const count = (value) => value.toLocaleString("en");
  const drawn = [];

  function base() {
    return {
      animation: !still.matches,
      aria: { enabled: true },
      textStyle: { color: colour("--ink"), fontFamily: "inherit" },
      tooltip: {
        renderMode: "richText", confine: true, backgroundColor: colour("--soft"),
        borderColor: colour("--line"), textStyle: { color: colour("--ink") },
      },
    };
  }

  const shown = (text, most) => (text.length > most ? text.slice(0, most - 1) + "…" : text);
  const narrow = () => document.documentElement.clientWidth < 640;

  const options = {
    sankey() {
      const label = { color: colour("--ink"), fontSize: narrow() ? 10 : 12, width: narrow() ? 84 : 190, overflow: "truncate" };
      // A narrow screen has room for the first, the last, and what each step rejected; the rest says itself when touched.
      const ends = (name) => !data.sankey.links.some((one) => one.source === name);
      const named = (one) => !narrow() || one.name === "came in" || ends(one.name) !== one.lost;
      return {
        ...base(),
        tooltip: { ...base().tooltip, formatter: (one) => one.dataType === "edge"
          ? `${one.data.source} → ${one.data.target}\n${count(one.value)} rows` : `${one.name}\n${count(one.value)} rows` },
        series: [{
          type: "sankey", left: 4, right: narrow() ? 92 : 200, top: 12, bottom: 12, nodeWidth: 12, nodeGap: 18,
          nodeAlign: "left", layoutIterations: 0, draggable: false, label, lineStyle: { color: "target", opacity: 0.3 }, emphasis: { focus: "adjacency" },
          data: data.sankey.nodes.map((one) => ({
            name: one.name, label: { show: named(one) }, itemStyle: { color: colour(one.lost ? "--lost" : "--kept"), borderWidth: 0 },
          })),
          links: data.sankey.links,
        }],
      };
    },
    sunburst() {
      const tones = ["#14708c", "#b3541e", "#5b6f1f", "#6d3fc0", "#9a2f5b", "#2f6f4f", "#7a5c12", "#3d5a99", "#8a3d3d", "#4a6670"];
      const label = { color: "#fff", textBorderWidth: 0, fontSize: narrow() ? 10 : 12, minAngle: 5, overflow: "truncate" };
      return {
        ...base(),
        tooltip: { ...base().tooltip, formatter: (one) =>
          `${one.treePathInfo.slice(1).map((part) => part.name).join(" ")}\n${count(one.value)} records` },
        series: [{
          type: "sunburst", radius: ["12%", "98%"], nodeClick: "rootToNode", sort: null, startAngle: 90,
          itemStyle: { borderColor: colour("--paper"), borderWidth: 1 },
          levels: [{}, { r0: "12%", r: "52%", label }, { r0: "52%", r: "98%", itemStyle: { opacity: 0.86 }, label }],
          data: data.sunburst.map((one, at) => {
            const itemStyle = { color: tones[at % tones.length] };
            const rest = { color: colour("--soft") };
            const children = one.children.map((part) => (part.name === "others"
              ? { ...part, itemStyle: rest, label: { show: false } } : { ...part, itemStyle, label }));
            return { ...one, itemStyle, label, children };
          }),
        }],
      };
    },
    map() {
      const series = [["kept", "--kept", "circle"], ["rejected", "--lost", "triangle"]].map(([fate, tone, symbol]) => ({
        type: "scatter", name: fate, symbol, symbolSize: fate === "kept" ? 6 : 8, large: false,
        itemStyle: { color: colour(tone), opacity: fate === "kept" ? 0.55 : 0.85 },
        data: data.map.filter((one) => one[2] === fate),
      }));
      const axis = { scale: true, show: false };
      return {
        ...base(),
        legend: { top: 0, left: 0, itemGap: 24, textStyle: { color: colour("--ink") } },
        grid: { left: 8, right: 8, top: 36, bottom: 8 },
        xAxis: axis, yAxis: axis, series,
        dataZoom: [{ type: "inside" }, { type: "inside", orient: "vertical" }],
        tooltip: { ...base().tooltip, formatter: (one) => `${one.value[2]}, topic ${one.value[4]}\n${shown(one.value[3], 60)}` },
      };
    },
  };

  function draw() {
    for (const chart of drawn.splice(0)) chart.dispose();
    for (const key of Object.keys(options)) {
      const place = document.getElementById("chart-" + key);
      if (!place || !data[key]) continue;
      const chart = echarts.init(place, null, { renderer: "svg" });
      chart.setOption(options[key]());
      drawn.push(chart);
    }
  }

  let later;
  addEventListener("resize", () => { clearTimeout(later); later = setTimeout(draw, 150); });
  dark.addEventListener("change", draw);
  draw();
})();
