// Curves of a training over its steps; losses on a logarithmic scale.
const CURVES = {psnr: ["PSNR of a step's rays", "dB", false], loss: ["Loss", "", true], eikonal: ["Eikonal", "", true], inv_s: ["Sharpness 1/s", "", true]};

function curves(journal) {
  const steps = journal.step;
  return element("div.charts", {}, Object.entries(CURVES).filter(([name]) => journal[name]).map(([name, [title, unit, isLog]]) => {
    const points = steps.map((s, i) => [s, journal[name][i]]).filter(([, v]) => v != null && (!isLog || v > 0));
    if (points.length < 2) return null;
    const scale = (v) => isLog ? Math.log10(v) : v, heights = points.map(([, v]) => scale(v));
    const low = Math.min(...heights), high = Math.max(...heights), last = points[points.length - 1];
    const x = (s) => 100 * (s - points[0][0]) / Math.max(1, last[0] - points[0][0]), y = (v) => 96 - 92 * (scale(v) - low) / Math.max(1e-9, high - low);
    const line = points.map(([s, v], i) => `${i ? "L" : "M"}${x(s).toFixed(2)} ${y(v).toFixed(2)}`).join("");
    const said = (v) => `${Number(v.toPrecision(3))}${unit && ` ${unit}`}`;
    const readout = element("b", {}, said(last[1])), picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [key, value] of Object.entries({viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img", "aria-label": `${title}: from ${said(points[0][1])} to ${said(last[1])}`}))
      picture.setAttribute(key, value);
    picture.innerHTML = `<line x1="0" x2="100" y1="98" y2="98"/><path d="${line}"/>`;
    picture.addEventListener("pointermove", (e) => {
      const at = (e.clientX - picture.getBoundingClientRect().left) / picture.clientWidth * 100;
      const near = points.reduce((best, p) => Math.abs(x(p[0]) - at) < Math.abs(x(best[0]) - at) ? p : best);
      readout.textContent = `${said(near[1])} at step ${near[0]}`;
    });
    picture.addEventListener("pointerleave", () => { readout.textContent = said(last[1]); });
    return element("figure", {}, element("figcaption", {}, title, readout), picture,
      element("div.ends", {}, element("span", {}, `step ${points[0][0]}`), element("span", {}, String(last[0]))));
  }));
}
