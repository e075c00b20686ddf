// A surface of blocks of texels (neus/page/tiles.py), clouds and cameras, drawn when something changes.
class Viewer {
  constructor(canvas, scan) {
    this.canvas = canvas;
    this.gl = canvas.getContext("webgl2", {antialias: true, alpha: true, premultipliedAlpha: true, preserveDrawingBuffer: true});
    if (!this.gl) throw new Error("this browser draws nothing in 3D (WebGL 2 is off)");
    const gl = this.gl;
    this.programs = {
      surface: program(gl, SURFACE, ["place", "texel"]),
      points: program(gl, POINTS, ["place", "colour_", "facing", "error"]),
      lines: program(gl, LINES, ["place", "colour_"]),
    };
    this.mode = 0;
    this.beside = false;
    this.shown = new Set();
    this.things = {};
    this.palette = this.texture({width: NEUS.palette.length / 3, height: 1, bytes: new Uint8Array(NEUS.palette)});
    this.orbit = new Orbit(canvas, scan.up, scan.front, (by) => { if (by) canvas.parentElement.classList.add("used"); this.draw(); });
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(canvas);
  }

  async surface(content) {
    const {rows: corners, count} = await unpack(content.corners), {rows: points} = await unpack(content.points.places);
    const last = content.pairs * 6 + (count - content.pairs) * 3;
    const places = new Uint16Array(last * 4), texels = new Uint16Array(last * 2);
    // Corners a b c and c b d of a block, at the middles of its outermost texels.
    const order = [0, 1, 2, 2, 1, 3], at = [[1, 1], [15, 1], [1, 15], [15, 15]];
    let v = 0;
    for (let q = 0; q < count; q++) {
      const x = 16 * (q % content.columns), y = 16 * Math.floor(q / content.columns);
      for (let k = 0; k < (q < content.pairs ? 6 : 3); k++, v++) {
        const corner = order[k], p = 3 * corners[4 * q + corner];
        places.set([points[p], points[p + 1], points[p + 2]], 4 * v);
        texels.set([x + at[corner][0], y + at[corner][1]], 2 * v);
      }
    }
    const [photo, normals, errors] = await Promise.all(["colour", "normal", "error"].map((name) => content[name] && bitmap(content[name])));
    this.things.surface = {
      ...this.box(content.points), count: last, size: [2 * photo.width, 2 * photo.height],
      vertices: this.vertices([[places, 4, this.gl.UNSIGNED_SHORT, false], [texels, 2, this.gl.UNSIGNED_SHORT, false]]),
      textures: [this.texture(photo), this.texture(normals), errors ? this.texture(errors) : this.palette],
    };
    const {low, step} = content.points, middle = low.map((l, i) => l + 32767 * step[i]);
    this.orbit.home = {centre: middle, reach: Math.hypot(...step) * 32767 * 0.72};
    this.orbit.reset();
  }

  async cloud(name, content, side = 1.3) {
    const gl = this.gl, {rows: places, count} = await unpack(content.points.places);
    const wide = new Uint16Array(4 * count);
    for (let i = 0; i < count; i++) wide.set(places.subarray(3 * i, 3 * i + 3), 4 * i);
    const padded = async (packed, width, zero) => {
      if (!packed) return zero;
      const {rows, width: w} = await unpack(packed), full = new rows.constructor(4 * count);
      for (let i = 0; i < count; i++) for (let c = 0; c < w; c++) full[4 * i + c] = rows[w * i + c];
      return full;
    };
    const grey = new Uint8Array(4 * count).fill(150);
    const colours = await padded(content.colours, 3, grey), facing = await padded(content.normals, 2, new Int8Array(4 * count));
    const errors = await padded(content.errors, 1, new Uint8Array(4 * count).fill(255));
    const extent = Math.hypot(...content.points.step) * 65535;
    this.things[name] = {
      ...this.box(content.points), count, isFlat: content.normals ? 0 : 1, radius: side * extent / Math.sqrt(Math.max(count, 400)),
      vertices: this.vertices([[wide, 4, gl.UNSIGNED_SHORT, false], [colours, 4, gl.UNSIGNED_BYTE, true], [facing, 4, gl.BYTE, true, 2], [errors, 4, gl.UNSIGNED_BYTE, true, 1]]),
    };
  }

  lines(name, segments) {  // [[from, to, [r, g, b]], …]
    const places = new Float32Array(segments.flatMap(([a, b]) => [...a, ...b]));
    const colours = new Uint8Array(segments.flatMap(([, , c]) => [...c, 255, ...c, 255]));
    const gl = this.gl;
    this.things[name] = {count: 2 * segments.length, vertices: this.vertices([[places, 3, gl.FLOAT, false], [colours, 4, gl.UNSIGNED_BYTE, true, 3]])};
  }

  box({low, step}) { return {low, step}; }

  vertices(buffers) {
    const gl = this.gl, made = gl.createVertexArray();
    gl.bindVertexArray(made);
    buffers.forEach(([values, stride, type, normalised, size = Math.min(stride, 3)], i) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(i);
      gl.vertexAttribPointer(i, size, type, normalised, stride * values.BYTES_PER_ELEMENT, 0);
    });
    return made;
  }

  texture(source) {
    const gl = this.gl, made = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, made);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    if (source.bytes) gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, source.width, source.height, 0, gl.RGB, gl.UNSIGNED_BYTE, source.bytes);
    else gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, source);
    // One smaller copy: those below it would mix blocks that are no neighbours.
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAX_LEVEL, source.bytes ? 0 : 1);
    if (!source.bytes) gl.generateMipmap(gl.TEXTURE_2D);
    for (const [name, value] of [["MIN_FILTER", source.bytes ? "LINEAR" : "LINEAR_MIPMAP_LINEAR"], ["MAG_FILTER", "LINEAR"], ["WRAP_S", "CLAMP_TO_EDGE"], ["WRAP_T", "CLAMP_TO_EDGE"]])
      gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${name}`], gl[value]);
    return made;
  }

  draw() {
    if (this.asked) return;
    this.asked = requestAnimationFrame(() => { this.asked = 0; this.now(); });
  }

  now() {
    const {gl, canvas} = this, dense = Math.min(2, window.devicePixelRatio || 1);
    const width = Math.round(canvas.clientWidth * dense), height = Math.round(canvas.clientHeight * dense);
    if (!width || gl.isContextLost()) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, {width, height});
    gl.enable(gl.DEPTH_TEST);
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    const isPair = this.beside && this.things.reference;
    const half = isPair ? width / 2 : width;
    this.scene(0, half, height, "surface");
    if (isPair) this.scene(half, half, height, "reference");
  }

  scene(left, width, height, what) {
    this.gl.viewport(left, 0, width, height);
    const view = {...this.orbit.camera(width / height), height};
    if (this.things[what]) what === "surface" ? this.drawSurface(view) : this.drawPoints(view, this.things[what], this.mode || 1);
    for (const name of ["sparse", "stereo"])
      if (this.shown.has(name) && this.things[name]) this.drawPoints(view, this.things[name], 0);
    for (const name of ["cameras", "sphere"])
      if (this.shown.has(name) && this.things[name]) this.drawLines(view, this.things[name]);
  }

  begin({made, uniforms}, {matrix, turn}, thing) {
    const gl = this.gl;
    gl.useProgram(made);
    gl.bindVertexArray(thing.vertices);
    gl.uniformMatrix4fv(uniforms.camera, false, matrix);
    if (uniforms.turn) gl.uniformMatrix3fv(uniforms.turn, false, turn);
    if (thing.low) { gl.uniform3fv(uniforms.low, thing.low); gl.uniform3fv(uniforms.step_, thing.step); }
    gl.activeTexture(gl.TEXTURE3);
    gl.bindTexture(gl.TEXTURE_2D, this.palette);
    if (uniforms.palette) gl.uniform1i(uniforms.palette, 3);
    return uniforms;
  }

  drawSurface(view) {
    const gl = this.gl, thing = this.things.surface, uniforms = this.begin(this.programs.surface, view, thing);
    gl.uniform2fv(uniforms.size, thing.size);
    gl.uniform1i(uniforms.mode, this.mode);
    ["photo", "normals", "errors"].forEach((name, i) => {
      gl.activeTexture(gl.TEXTURE0 + i);
      gl.bindTexture(gl.TEXTURE_2D, thing.textures[i]);
      gl.uniform1i(uniforms[name], i);
    });
    gl.drawArrays(gl.TRIANGLES, 0, thing.count);
  }

  drawPoints(view, thing, mode) {
    const uniforms = this.begin(this.programs.points, view, thing);
    this.gl.uniform1f(uniforms.radius, thing.radius);
    this.gl.uniform1f(uniforms.scale, view.f * view.height / 2);
    this.gl.uniform2fv(uniforms.depths, view.depths);
    this.gl.uniform1i(uniforms.mode, mode);
    this.gl.uniform1i(uniforms.isFlat, thing.isFlat);
    this.gl.drawArrays(this.gl.POINTS, 0, thing.count);
  }

  drawLines(view, thing) {
    this.begin(this.programs.lines, view, thing);
    this.gl.drawArrays(this.gl.LINES, 0, thing.count);
  }

  close() {  // browsers keep sixteen of these at most
    this.watch.disconnect();
    cancelAnimationFrame(this.asked);
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

function frusta(cameras, size) {
  return cameras.flatMap(({centre, rays, held_out}) => {
    const colour = held_out ? [226, 136, 24] : [58, 110, 190];
    const corners = rays.map((r) => centre.map((c, i) => c + size * r[i]));
    return corners.flatMap((p, i) => [[centre, p, colour], [p, corners[(i + 1) % 4], colour]]);
  });
}

function circles(up, front) {
  const side = cross3(up, front), colour = [196, 74, 54], steps = 96;
  const around = (a, b) => Array.from({length: steps}, (_, i) => {
    const at = (k) => mix3([Math.cos(2 * Math.PI * k / steps), a], [Math.sin(2 * Math.PI * k / steps), b]);
    return [at(i), at(i + 1), colour];
  });
  return [...around(front, side), ...around(up, front), ...around(up, side)];
}
