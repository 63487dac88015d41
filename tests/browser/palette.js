// Converts a PNG to one with a palette, both in base64: pictures of user interfaces have few colours, and become a
// third as large. Run in a page: the browser reads the picture and deflates the result.
async (encoded) => {
  const MOST = 256;
  const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${encoded}`)).blob());
  const { width, height } = picture;
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(picture, 0, 0);
  const pixels = new Uint32Array(canvas.getImageData(0, 0, width, height).data.buffer);

  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) || 0) + 1);
  const colors = [...counts.keys()].sort((one, other) => counts.get(other) - counts.get(one));
  const palette = colors.slice(0, MOST);
  const part = (color, at) => (color >> (8 * at)) & 255;
  const away = (one, other) => [0, 1, 2].reduce((sum, at) => sum + (part(one, at) - part(other, at)) ** 2, 0);
  const nearest = (color) =>
    palette.reduce((best, each, at) => (away(each, color) < away(palette[best], color) ? at : best), 0);
  const index = new Map(colors.map((color, at) => [color, at < MOST ? at : nearest(color)]));

  const lines = new Uint8Array(height * (width + 1));
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      lines[row * (width + 1) + column + 1] = index.get(pixels[row * width + column]);
  const deflated = new Blob([lines]).stream().pipeThrough(new CompressionStream("deflate"));
  const data = new Uint8Array(await new Response(deflated).arrayBuffer());

  const crcs = Array.from({ length: 256 }, (_, at) => {
    let crc = at;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  });
  const chunk = (kind, content) => {
    const bytes = new Uint8Array(12 + content.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, content.length);
    bytes.set(new TextEncoder().encode(kind), 4);
    bytes.set(content, 8);
    let crc = 0xffffffff;
    for (const byte of bytes.subarray(4, 8 + content.length)) crc = crcs[(crc ^ byte) & 255] ^ (crc >>> 8);
    view.setUint32(8 + content.length, (crc ^ 0xffffffff) >>> 0);
    return bytes;
  };
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, width);
  new DataView(header.buffer).setUint32(4, height);
  header.set([8, 3, 0, 0, 0], 8);
  const parts = [
    Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("PLTE", Uint8Array.from(palette.flatMap((color) => [0, 1, 2].map((at) => part(color, at))))),
    chunk("IDAT", data),
    chunk("IEND", new Uint8Array()),
  ];
  const url = await new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.readAsDataURL(new Blob(parts));
  });
  return url.slice(url.indexOf(",") + 1);
};
