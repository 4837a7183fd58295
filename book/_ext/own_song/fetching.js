// Large files: fetched once, kept by the browser under their checksum, counted while they come.

const SHELF = "sepbook-own-song";

async function shelf() {
  try {
    return await caches.open(SHELF);
  } catch {
    return null; // storage is refused, or the page is not served securely: fetch each time
  }
}

/** The bytes of a file. `key` changes with its content; `count` is called with the bytes of each piece. */
export async function fetched(address, key, count) {
  const kept = await shelf();
  const name = `${address.split("?")[0]}?v=${key}`;
  const before = await kept?.match(name).catch(() => null);
  if (before) {
    const bytes = new Uint8Array(await before.arrayBuffer());
    count(bytes.length);
    return bytes;
  }
  const answer = await fetch(name);
  if (!answer.ok) throw new Error(`${name} answers ${answer.status}`);
  const [parts, reader] = [[], answer.body.getReader()];
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    parts.push(piece.value);
    count(piece.value.length);
  }
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  await forget(kept, address);
  await kept?.put(name, new Response(bytes)).catch(() => {});
  return bytes;
}

/** Older versions of a file go. */
async function forget(kept, address) {
  for (const request of (await kept?.keys().catch(() => [])) ?? []) {
    if (request.url.split("?")[0] === address.split("?")[0]) await kept.delete(request).catch(() => {});
  }
}

export async function unzipped(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
