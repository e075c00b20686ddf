// Elements from names, properties and children; text is text, whatever it holds.
function element(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split("."), made = document.createElement(tag || "div");
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== false));
  return made;
}

// Buttons of which one is pressed; `choose` is told its value.
function chips(label, options, chosen, choose) {
  const row = element("div.chips", {role: "group", "aria-label": label});
  const press = (value) => [...row.children].forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.value === value)));
  for (const [value, text, isOff] of options)
    row.append(element("button", {
      type: "button", "data-value": value, disabled: Boolean(isOff), title: isOff || null,
      onclick: () => { press(value); choose(value); },
    }, text));
  press(chosen);
  return row;
}

function tick(text, isOn, change) {
  const box = element("input", {type: "checkbox", onchange: () => change(box.checked)});
  box.checked = isOn;
  return element("label", {}, box, text);
}

const part = (title, note, ...children) =>
  element("section.part", {}, element("h4", {}, title, note && element("small", {}, note)), ...children);
