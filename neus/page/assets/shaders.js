// Programs of the graphics card. Places are whole steps from `low`, in the scene frame.
const MODES = ["photo", "shape", "normals", "error"];

const LIGHT = `
uniform mat3 turn;
uniform sampler2D palette;
vec3 shape(vec3 n) {
  float key = max(0.0, dot(n, normalize(vec3(-0.4, 0.65, 0.75))));
  float fill = 0.5 + 0.5 * dot(n, normalize(vec3(0.7, -0.3, 0.3)));
  return vec3(0.80, 0.785, 0.76) * (0.30 + 0.72 * key + 0.14 * fill);
}
vec3 inErrors(float code, vec3 n) {
  float slope = 0.62 + 0.38 * clamp(n.z, 0.0, 1.0);
  if (code > 0.9) return vec3(0.62) * slope;
  return texture(palette, vec2(clamp(code / 0.7843, 0.002, 0.998), 0.5)).rgb * slope;
}`;

const SURFACE = {
  vertex: `#version 300 es
in vec3 place; in vec2 texel;
uniform mat4 camera; uniform vec3 low, step_;
out vec2 at;
void main() { at = texel; gl_Position = camera * vec4(low + step_ * place, 1.0); }`,
  fragment: `#version 300 es
precision highp float;
in vec2 at; out vec4 colour;
uniform sampler2D photo, normals, errors; uniform vec2 size; uniform int mode;
${LIGHT}
void main() {
  vec2 uv = at / size;
  if (mode == 0) { colour = vec4(texture(photo, uv).rgb, 1.0); return; }
  vec3 n = normalize(turn * (texture(normals, uv).rgb * 2.0 - 1.0));
  if (mode == 1) colour = vec4(shape(n), 1.0);
  else if (mode == 2) colour = vec4(0.5 + 0.5 * n, 1.0);
  else colour = vec4(inErrors(texture(errors, uv).r, n), 1.0);
}`,
};

// Discs on the planes of their points: they meet as a surface does, and do not lie on one another.
const POINTS = {
  vertex: `#version 300 es
in vec3 place; in vec3 colour_; in vec2 facing; in float error;
uniform mat4 camera; uniform vec3 low, step_; uniform float radius, scale; uniform int mode, isFlat;
out vec3 shown, normal; out float deep;
${LIGHT}
vec3 direction(vec2 e) {
  vec3 n = vec3(e, 1.0 - abs(e.x) - abs(e.y));
  vec2 s = vec2(n.x >= 0.0 ? 1.0 : -1.0, n.y >= 0.0 ? 1.0 : -1.0);
  if (n.z < 0.0) n.xy = (1.0 - abs(n.yx)) * s;
  return normalize(n);
}
void main() {
  gl_Position = camera * vec4(low + step_ * place, 1.0);
  deep = gl_Position.w;
  gl_PointSize = max(2.0, 2.0 * radius * scale / deep);
  vec3 n = isFlat == 1 ? vec3(0.0, 0.0, 1.0) : turn * direction(facing);
  normal = n.z < 0.0 ? -n : n;
  if (mode == 0) shown = colour_;
  else if (mode == 1) shown = shape(normal);
  else if (mode == 2) shown = 0.5 + 0.5 * normal;
  else shown = inErrors(error, normal);
}`,
  fragment: `#version 300 es
precision highp float;
in vec3 shown, normal; in float deep; out vec4 colour;
uniform float radius; uniform vec2 depths;
void main() {
  vec2 d = (gl_PointCoord * 2.0 - 1.0) * vec2(1.0, -1.0);
  float rise = -dot(d, normal.xy) / max(normal.z, 0.25);
  if (dot(d, d) + rise * rise > 1.0) discard;
  float z = -deep + radius * rise;
  gl_FragDepth = 0.5 + 0.5 * (depths.x * z + depths.y) / -z;
  colour = vec4(shown, 1.0);
}`,
};

const LINES = {
  vertex: `#version 300 es
in vec3 place; in vec3 colour_; uniform mat4 camera; out vec3 shown;
void main() { shown = colour_; gl_Position = camera * vec4(place, 1.0); }`,
  fragment: `#version 300 es
precision mediump float;
in vec3 shown; out vec4 colour;
void main() { colour = vec4(shown, 1.0); }`,
};

function program(gl, {vertex, fragment}, attributes) {
  const made = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text.replace("#version 300 es", "#version 300 es\nprecision highp float;"));
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(made, shader);
  }
  attributes.forEach((name, i) => gl.bindAttribLocation(made, i, name));
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made));
  const uniforms = {};
  for (let i = 0; i < gl.getProgramParameter(made, gl.ACTIVE_UNIFORMS); i++) {
    const {name} = gl.getActiveUniform(made, i);
    uniforms[name] = gl.getUniformLocation(made, name);
  }
  return {made, uniforms};
}
