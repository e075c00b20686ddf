// A held-out view: the photo left of the slider, what was made of it on the right.
const RIGHT = {rendering: "Rendering", difference: "Difference", normals: "Normals"};

function comparison(views, scan) {
  let view = views[0], right = "rendering";
  const photo = element("img", {alt: ""}), other = element("img", {alt: ""});
  const slider = element("input", {type: "range", min: 0, max: 100, step: 0.5, value: 50, "aria-label": "Where the photo ends and the rendering begins"});
  const label = element("span.b", {}, RIGHT[right]);
  const frame = element("div.compare", {}, photo, other, element("span.a", {}, "Photo"), label, slider);
  slider.addEventListener("input", () => frame.style.setProperty("--at", `${slider.value}%`));
  const caption = element("p.notes", {"aria-live": "polite"});
  const strip = element("div.strip", {role: "group", "aria-label": "Held-out views"}, views.map((v) =>
    element("button", {type: "button", "data-name": v.name, onclick: () => { view = v; show(); }},
      element("img", {src: v.rendering, alt: "", loading: "lazy"}),
      element("span", {}, v.name, element("b", {}, v.figures.psnr == null ? "" : v.figures.psnr.toFixed(1))))));
  function show() {
    for (const [image, name] of [[photo, "photo"], [other, right]]) {
      image.src = view[name] ?? view.rendering;
      Object.assign(image, {width: view.width, height: view.height, alt: `${name} of view ${view.name} of ${scan}`});
    }
    label.textContent = RIGHT[right];
    const {psnr, psnr_masked, ssim} = view.figures;
    caption.textContent = [`View ${view.name}`, psnr != null && `PSNR ${psnr.toFixed(2)} dB`, psnr_masked != null && `${psnr_masked.toFixed(2)} dB in the mask`,
      ssim != null && `SSIM ${ssim.toFixed(3)}`, right === "difference" && "white: none, dark red: a quarter of the range of colours or more"].filter(Boolean).join(" · ");
    [...strip.children].forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.name === view.name)));
  }
  const choices = Object.entries(RIGHT).filter(([name]) => views.some((v) => v[name]));
  const chooser = chips("Beside the photo", choices, right, (name) => { right = name; show(); });
  show();
  return element("div.split", {}, frame, element("div.side", {}, chooser, caption, strip));
}
