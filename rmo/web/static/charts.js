// Turns a drawing into a chart to explore when the person asks for it. Plotly is fetched only then.
// Colours come from the page's own tokens, so the chart follows light, dark and print.
"use strict";

const PLOTLY = new URL("vendor/plotly-basic.min.js", document.currentScript.src).href;
const charts = [];

function colour(token) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  const seen = getComputedStyle(probe).color;
  probe.remove();
  return seen;
}

// A trace or a line says "token:good"; here it becomes the colour of the theme that is on.
function coloured(value) {
  if (typeof value === "string" && value.startsWith("token:")) return colour(value.slice(6));
  if (Array.isArray(value)) return value.map(coloured);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, coloured(inner)]));
  }
  return value;
}

function layout(given) {
  const axis = {
    gridcolor: colour("line"), linecolor: colour("line-firm"), zerolinecolor: colour("line-firm"),
    tickcolor: colour("line-firm"), tickfont: { color: colour("ink-2"), size: 12 }, automargin: true,
  };
  return {
    autosize: true, paper_bgcolor: colour("page"), plot_bgcolor: colour("page"), dragmode: "pan", hovermode: "x unified",
    font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: colour("ink") },
    margin: { l: 48, r: 16, t: 8, b: 40 }, legend: { orientation: "h", y: -0.18, font: { color: colour("ink-2"), size: 13 } },
    hoverlabel: { bgcolor: colour("page"), bordercolor: colour("line-firm"), font: { color: colour("ink") } },
    ...coloured(given),
    xaxis: { ...axis, showgrid: false, hoverformat: "%-d %b %Y", ...coloured(given.xaxis || {}) },
    yaxis: { ...axis, ...coloured(given.yaxis || {}) },
  };
}

function fetched() {
  if (window.Plotly) return Promise.resolve();
  // Plotly adds its rules to the sheet of this id. Ours may take them; one that Plotly makes is refused by the policy.
  document.querySelector('link[rel="stylesheet"][href*="rmo.css"]').id = "plotly.js-style-global";
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = PLOTLY;
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
}

function draw(chart) {
  const { data, layout: given = {} } = chart.figure;
  return Plotly.react(chart.place, coloured(data), layout(given), { displayModeBar: false, responsive: true, scrollZoom: false });
}

async function explore(chart) {
  const open = chart.place.hidden;
  chart.place.hidden = !open;
  chart.button.setAttribute("aria-expanded", String(open));
  chart.button.textContent = open ? "Close the chart" : "Explore";
  if (!open || chart.drawn) return;
  chart.said.textContent = "Drawing the chart, a second or two";
  try {
    await fetched();
    await draw(chart);
    chart.drawn = true;
    chart.said.textContent = "";
  } catch {
    chart.said.textContent = "The chart could not be drawn. The numbers are safe and stand in the table.";
  }
}

function prepared(host) {
  const source = document.getElementById(host.dataset.plotly);
  const chart = {
    figure: JSON.parse(source.textContent), drawn: false,
    button: document.createElement("button"), place: document.createElement("div"), said: document.createElement("p"),
  };
  chart.button.type = "button";
  chart.button.className = "linkbtn note";
  chart.button.textContent = "Explore";
  chart.button.setAttribute("aria-expanded", "false");
  chart.button.setAttribute("aria-label", `Explore: ${host.dataset.label}`);
  chart.place.className = "explorer";
  chart.place.id = `${host.dataset.plotly}-place`;
  chart.place.hidden = true;
  chart.place.setAttribute("role", "img");
  chart.place.setAttribute("aria-label", host.dataset.label);
  chart.button.setAttribute("aria-controls", chart.place.id);
  chart.said.className = "note";
  chart.said.setAttribute("role", "status");
  chart.button.addEventListener("click", () => explore(chart));
  host.append(chart.button);
  host.closest("figure").append(chart.said, chart.place);
  return chart;
}

document.querySelectorAll("[data-plotly]").forEach((host) => charts.push(prepared(host)));

// The theme may change with the device while the page is open.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  charts.filter((chart) => chart.drawn).forEach(draw);
});
