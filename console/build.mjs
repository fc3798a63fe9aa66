// Builds the console: src/ -> dist/{index.html,app.js,app.css,favicon.svg}.
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

// The whole console, compressed, must stay below this: it is loaded over slow tunnels into clusters.
const kBundleGzipBytesMax = 100 * 1024;

const options = {
  absWorkingDir: root,
  entryPoints: [
    { in: 'src/main.tsx', out: 'app' },
    { in: 'src/style/app.css', out: 'app' },
  ],
  outdir: 'dist',
  bundle: true,
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

async function weigh() {
  let total = 0;
  for (const name of ['index.html', 'app.js', 'app.css']) {
    const bytes = await readFile(path.join(dist, name));
    const packed = gzipSync(bytes, { level: 9 }).length;
    total += packed;
    if (process.argv.includes('--size')) {
      console.log(`${name}: ${bytes.length} bytes, ${packed} compressed`);
    }
  }
  if (total > kBundleGzipBytesMax) {
    throw new Error(`the console weighs ${total} bytes compressed; at most ${kBundleGzipBytesMax}`);
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
  await esbuild.build(options);
  await weigh();
}
