// Where one looks from: angles around `up` from the side that the cameras look at, and a distance.
const FIELD = 0.62;  // radians from the bottom of the picture to its top

const dot3 = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross3 = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const mix3 = (...terms) => [0, 1, 2].map((i) => terms.reduce((sum, [w, v]) => sum + w * v[i], 0));

class Orbit {
  constructor(canvas, up, front, changed) {
    Object.assign(this, {canvas, up, front, side: cross3(up, front), changed, fingers: new Map()});
    this.home = {centre: [0, 0, 0], reach: 1};
    this.reset();
    canvas.addEventListener("pointerdown", (e) => this.down(e));
    canvas.addEventListener("pointermove", (e) => this.move(e));
    for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (e) => this.fingers.delete(e.pointerId));
    canvas.addEventListener("wheel", (e) => this.wheel(e), {passive: false});
    canvas.addEventListener("keydown", (e) => this.key(e));
    canvas.addEventListener("dblclick", () => { this.reset(); this.changed(); });
  }

  reset() {
    Object.assign(this, {yaw: 0.35, pitch: 0.3, far: this.home.reach / Math.sin(FIELD / 2) * 1.06, target: this.home.centre});
  }

  turn(x, y) {
    this.yaw -= x;
    this.pitch = Math.max(-1.5, Math.min(1.5, this.pitch + y));
    this.changed(true);
  }

  zoom(factor) {
    this.far = Math.max(0.15, Math.min(12, this.far * factor));
    this.changed(true);
  }

  shift(x, y) {
    const {right, top} = this.axes(), pixel = 2 * this.far * Math.tan(FIELD / 2) / this.canvas.clientHeight;
    this.target = mix3([1, this.target], [-x * pixel, right], [y * pixel, top]);
    this.changed(true);
  }

  down(e) {
    this.fingers.set(e.pointerId, [e.clientX, e.clientY]);
    this.canvas.setPointerCapture(e.pointerId);
  }

  move(e) {
    const before = this.fingers.get(e.pointerId);
    if (!before) return;
    const x = e.clientX - before[0], y = e.clientY - before[1];
    const other = [...this.fingers].find(([id]) => id !== e.pointerId);
    if (other) {
      const span = (p) => Math.hypot(p[0] - other[1][0], p[1] - other[1][1]);
      this.zoom(span(before) / Math.max(1, span([e.clientX, e.clientY])));
      this.shift(x / 2, y / 2);
    } else if (e.shiftKey || e.buttons === 2 || e.buttons === 4) this.shift(x, y);
    else this.turn(x * 0.008, y * 0.008);
    this.fingers.set(e.pointerId, [e.clientX, e.clientY]);
  }

  wheel(e) {  // a page that is scrolled past must not zoom
    if (document.activeElement !== this.canvas && !e.ctrlKey) return;
    e.preventDefault();
    this.zoom(Math.exp(Math.max(-60, Math.min(60, e.deltaY)) * 0.003));
  }

  key(e) {
    const steps = {ArrowLeft: [-0.15, 0], ArrowRight: [0.15, 0], ArrowUp: [0, 0.12], ArrowDown: [0, -0.12]};
    if (steps[e.key] && e.shiftKey) this.shift(...steps[e.key].map((v) => 200 * v));
    else if (steps[e.key]) this.turn(...steps[e.key]);
    else if (e.key === "+" || e.key === "=") this.zoom(0.88);
    else if (e.key === "-") this.zoom(1.14);
    else if (e.key === "0" || e.key === "Home") { this.reset(); this.changed(); }
    else return;
    e.preventDefault();
  }

  axes() {
    const c = Math.cos(this.pitch), s = Math.sin(this.pitch);
    const level = mix3([Math.cos(this.yaw), this.front], [Math.sin(this.yaw), this.side]);
    const towards = mix3([c, level], [s, this.up]);
    const right = cross3(this.up, level);
    return {right, top: cross3(towards, right), towards};
  }

  // Columns of the matrix to clip space, and the rotation to the viewer's axes.
  camera(aspect) {
    const {right, top, towards} = this.axes(), far = this.far;
    const eye = mix3([1, this.target], [far, towards]);
    const narrow = Math.min(1, aspect), f = narrow / Math.tan(FIELD / 2), near = Math.max(0.01, far - 4), deep = far + 8;
    const a = (deep + near) / (near - deep), b = 2 * deep * near / (near - deep);
    const matrix = new Float32Array(16), rows = [mix3([f / aspect, right]), mix3([f, top]), mix3([a, towards]), mix3([-1, towards])];
    const moves = [-dot3(rows[0], eye), -dot3(rows[1], eye), -dot3(rows[2], eye) + b, -dot3(rows[3], eye)];
    for (let r = 0; r < 4; r++) {
      for (let c = 0; c < 3; c++) matrix[4 * c + r] = rows[r][c];
      matrix[12 + r] = moves[r];
    }
    const turn = new Float32Array(9);
    [right, top, towards].forEach((v, r) => v.forEach((x, c) => { turn[3 * c + r] = x; }));
    return {matrix, turn, f, depths: [a, b]};
  }
}
