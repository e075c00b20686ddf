// What neus/page/packing.py packed, as typed arrays, one a column of the last axes.
const TYPES = {uint8: Uint8Array, int8: Int8Array, uint16: Uint16Array};

async function unpack({type, shape, deflated}) {
  const bytes = Uint8Array.from(atob(deflated), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const values = new TYPES[type](await new Response(stream).arrayBuffer());
  const [count, width = 1] = shape;
  // Columns one after the other become rows, as a graphics card wants them.
  const rows = new TYPES[type](values.length);
  for (let c = 0; c < width; c++)
    for (let i = 0; i < count; i++) rows[i * width + c] = values[c * count + i];
  return {rows, count, width};
}

// A picture as the graphics card takes it. No canvas of two dimensions, which could round colours.
async function bitmap(address) {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  return picture;
}
