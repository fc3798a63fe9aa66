// Builds the console: src/ -> dist/{index.html,app.js,app.css,favicon.svg} and the chunks that are loaded
// when they are opened: pages (dashboards-HASH.js), languages, what pages share (chunk-HASH.js).
//
//   node build.mjs            minified, what kelp-server embeds
//   node build.mjs --watch    rebuilds on change, with source maps
//   node build.mjs --size     also prints what each file weighs compressed
//
// The page runs under `Content-Security-Policy: default-src 'self'`: no inline script or style, no
// data: address, nothing from another host.
import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import * as esbuild from 'esbuild';

const root = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(root, 'dist');
const watch = process.argv.includes('--watch');

// What has to arrive before the first search can be made, compressed: the console is loaded over slow
// tunnels into clusters.
const kFirstLoadGzipBytesMax = 60 * 1000;

const options = {
  absWorkingDir: root,
  entryPoints: [
    { in: 'src/main.tsx', out: 'app' },
    { in: 'src/style/app.css', out: 'app' },
  ],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  chunkNames: '[name]-[hash]',
  metafile: true,
  format: 'esm',
  target: ['es2020', 'chrome100', 'firefox100', 'safari15.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  charset: 'utf8',
  legalComments: 'none',
  minify: !watch,
  sourcemap: watch ? 'linked' : false,
  logLevel: 'warning',
};

async function copyStatic() {
  for (const name of ['index.html', 'favicon.svg']) {
    await cp(path.join(root, 'src', name), path.join(dist, name));
  }
}

async function packedBytes(file) {
  const bytes = await readFile(path.join(root, file));
  const packed = gzipSync(bytes, { level: 9 }).length;
  if (process.argv.includes('--size')) {
    console.log(`${file}: ${bytes.length} bytes, ${packed} compressed`);
  }
  return packed;
}

// The chunks that `file` needs before it runs, itself among them.
function needed(outputs, file, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  for (const { path: other, kind } of outputs[file].imports) {
    if (kind === 'import-statement') needed(outputs, other, found);
  }
  return found;
}

async function weigh({ outputs }) {
  const first = needed(outputs, 'dist/app.js');
  const texts = Object.keys(outputs).filter((file) => /\/(en|zh)-\w+\.js$/.test(file));
  const weights = new Map();
  for (const file of ['dist/index.html', ...Object.keys(outputs)]) {
    weights.set(file, await packedBytes(file));
  }
  // The reader's language comes with the first load too; the larger one counts.
  let total = Math.max(...texts.map((file) => weights.get(file)));
  for (const file of [...first, 'dist/index.html', 'dist/app.css']) total += weights.get(file);
  if (process.argv.includes('--size')) console.log(`first load: ${total} compressed`);
  if (total > kFirstLoadGzipBytesMax) {
    throw new Error(
      `the first load weighs ${total} bytes compressed; at most ${kFirstLoadGzipBytesMax}`,
    );
  }
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
await copyStatic();
if (watch) {
  const context = await esbuild.context(options);
  await context.watch();
  console.log('watching src/');
} else {
  const { metafile } = await esbuild.build(options);
  await weigh(metafile);
}
