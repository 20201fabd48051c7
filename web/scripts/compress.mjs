// Lays a .br and a .gz beside each text file of dist, so that the gateway never compresses, and prints what a visitor loads.
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
const files = (await readdir(dist, { recursive: true })).filter((name) => /\.(js|css|html|svg)$/.test(name)).sort();
for (const name of files) {
  const bytes = await readFile(new URL(name, dist));
  const gz = gzipSync(bytes, { level: 9 });
  const br = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  if (gz.length < bytes.length) await writeFile(new URL(`${name}.gz`, dist), gz);
  if (br.length < bytes.length) await writeFile(new URL(`${name}.br`, dist), br);
  console.log(`${name.padEnd(44)} ${(bytes.length / 1000).toFixed(1).padStart(7)} kB  gzip ${(gz.length / 1000).toFixed(1).padStart(6)}  br ${(br.length / 1000).toFixed(1).padStart(6)}`);
}
