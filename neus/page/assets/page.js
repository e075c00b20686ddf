// Sections are filled when they are opened, from scripts that lie beside the page or in it.
const arrived = new Map();
window.neusPart = (name, content) => arrived.get(name)?.resolve(content);

function load(name) {
  if (!arrived.has(name)) {
    const wait = {};
    wait.promise = new Promise((resolve, reject) => Object.assign(wait, {resolve, reject}));
    arrived.set(name, wait);
    const inside = document.getElementById(`part ${name}`);
    if (inside) wait.resolve(JSON.parse(inside.textContent));
    else document.head.append(element("script", {
      src: name.split("/").map(encodeURIComponent).join("/"),
      onerror: () => { arrived.delete(name); wait.reject(new Error(`${name} is not beside this page: copy the folder ${name.split("/")[0]} along with it`)); },
    }));
  }
  return arrived.get(name).promise;
}

function facts(pairs) {
  return element("dl.facts", {}, pairs.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

async function stage(scan, content, run) {
  const canvas = element("canvas", {tabindex: 0, role: "application", "aria-label": `Surface of ${run.scan} by ${run.method} in 3D. Arrow keys turn it, plus and minus zoom, 0 returns.`});
  const left = element("span.label.left", {}, "Reconstruction"), right = element("span.label.right", {}, "Reference");
  const box = element("div.stage", {}, canvas, left, right, element("span.hint", {}, "Drag to turn, pinch or scroll to zoom, double-click to return"));
  const viewer = new Viewer(canvas, scan);
  canvas.viewer = viewer;
  const {surface, reference, shown} = content;
  if (surface) await viewer.surface(surface);
  if (reference) await viewer.cloud("reference", reference);
  const most = Math.max(1, ...scan.cameras.map((c) => Math.hypot(...c.centre)));
  viewer.lines("cameras", frusta(scan.cameras, 0.07 * most));
  viewer.lines("sphere", circles(scan.up, scan.front));
  for (const name of ["sparse", "stereo"]) if (scan[name]) await viewer.cloud(name, scan[name], name === "sparse" ? 0.5 : 0.8);

  const gradient = Array.from({length: 9}, (_, i) => { const k = 3 * Math.round(i / 8 * (NEUS.palette.length / 3 - 1)); return `rgb(${NEUS.palette.slice(k, k + 3)})`; });
  const legend = element("div.legend", {hidden: true}, "0", element("i", {style: `background:linear-gradient(90deg,${gradient})`}), `${Number((shown || 0).toPrecision(3))} ${scan.unit} or more`, element("span", {}, "grey: not measured"));
  const missing = content.errors_absent && `No errors: ${content.errors_absent}`;
  const modes = chips("What the surface shows", [["0", surface?.textured ? "Photo" : "Colour"], ["1", "Shape"], ["2", "Normals"], ["3", "Error", surface?.error ? null : missing || "not measured"]], "0",
    (value) => { viewer.mode = Number(value); legend.hidden = value !== "3"; viewer.draw(); });
  const pair = (isOn) => { viewer.beside = isOn; left.hidden = right.hidden = !isOn; viewer.draw(); };
  pair(Boolean(reference) && window.matchMedia("(min-width: 700px)").matches);
  const layers = [["cameras", "Cameras"], ["sphere", "Sphere"], scan.sparse && ["sparse", "Sparse points"], scan.stereo && ["stereo", "Stereo points"]].filter(Boolean)
    .map(([name, text]) => tick(text, false, (isOn) => {
      viewer.shown[isOn ? "add" : "delete"](name);
      if (name === "cameras" && isOn && viewer.orbit.far < 3.2 * most) { viewer.orbit.far = 3.2 * most; }
      viewer.draw();
    }));
  const bar = element("div.bar", {}, modes, reference && tick("Reference beside it", viewer.beside, pair), layers);
  viewer.draw();
  return {viewer, rows: [box, bar, legend]};
}

async function fill(body, entry, run, state) {
  const asked = state.asked = Symbol(run.method);
  body.replaceChildren(element("p.waiting", {role: "status"}, "Loading…"));
  state.viewer?.close();
  state.viewer = null;
  try {
    const [scan, content] = await Promise.all([load(entry.part), load(run.part)]);
    if (state.asked !== asked) return;
    const stageBox = element("div"), side = element("div.side", {}, facts(run.facts), [...run.notes, ...scan.notes].map((note) => element("p", {}, note)));
    const rows = [element("div.split", {}, stageBox, side)];
    if (run.failure) rows.unshift(element("p.failure", {}, run.failure));
    rows.push(part("Held-out views", content.views.length ? "the photo, and what was made without it" : "", content.views.length ? comparison(content.views, entry.name) : element("p.notes", {}, run.no_views)));
    const flight = content.video ?? run.video;
    rows.push(element("div.pair", {},
      flight && part("Flight", "colour beside normals", element("video", {src: flight, controls: true, loop: true, playsinline: true, preload: "auto", "aria-label": `Flight around ${entry.name}`})),
      scan.overview && part("Cameras, sphere and points", "", element("img.plain", {src: scan.overview, alt: `Photos of ${entry.name} with the sphere, and its cameras from above and from the side`}))));
    if (content.curves) rows.push(part("Training", "", curves(content.curves)));
    if (content.config || content.made.length) rows.push(element("details.more", {}, element("summary", {}, "Configuration, every key spelt out, with device, commit and versions"),
      content.made.length > 0 && facts(content.made), content.config && element("pre", {tabindex: 0}, content.config)));
    body.replaceChildren(...rows);
    if (content.surface) {
      const {viewer, rows: made} = await stage(scan, content, {scan: entry.name, method: run.method});
      state.viewer = viewer;
      stageBox.replaceChildren(...made);
    } else stageBox.replaceChildren(element("p.failure", {}, run.no_mesh));
  } catch (error) {
    body.replaceChildren(element("p.failure", {}, error.message));
  }
}

for (const section of document.querySelectorAll("details.scan")) {
  const entry = NEUS.scans[section.dataset.index], state = {}, holder = section.querySelector(".body");
  const open = () => {
    if (!section.open || entry.failure) { state.viewer?.close(); if (!entry.failure) holder.replaceChildren(); return; }
    const body = element("div"), runs = entry.runs;
    holder.replaceChildren(runs.length > 1 ? element("div.tabs", {}, chips("Method", runs.map((r, i) => [String(i), r.method]), "0", (i) => fill(body, entry, runs[i], state))) : "", body);
    fill(body, entry, runs[0], state);
  };
  section.addEventListener("toggle", open);
}

function follow() {
  const section = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (section?.matches("details.scan")) { section.open = true; section.scrollIntoView(); }
}
window.addEventListener("hashchange", follow);
follow();

const theme = document.getElementById("theme"), root = document.documentElement;
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const wear = (isDark) => { root.dataset.theme = isDark ? "dark" : "light"; theme.setAttribute("aria-pressed", String(isDark)); theme.textContent = isDark ? "Light" : "Dark"; };
theme.addEventListener("click", () => wear(root.dataset.theme !== "dark"));
dark.addEventListener("change", (e) => wear(e.matches));
wear(dark.matches);
