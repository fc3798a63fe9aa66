// Runs the unit tests: bundles every src/**/*_test.ts into node_modules/.cache and hands them to
// Node's own test runner, so that Node 18 (no TypeScript of its own) can run them.
import { readdir, rm } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import * as esbuild from 'esbuild';

const root = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(root, 'node_modules', '.cache', 'kelp-tests');

async function testsBelow(folder) {
  const found = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) found.push(...(await testsBelow(full)));
    else if (entry.name.endsWith('_test.ts')) found.push(full);
  }
  return found.sort();
}

const tests = await testsBelow(path.join(root, 'src'));
await rm(out, { recursive: true, force: true });
await esbuild.build({
  absWorkingDir: root,
  entryPoints: tests,
  outbase: path.join(root, 'src'),
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node18',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const built = tests.map((file) =>
  path.join(out, path.relative(path.join(root, 'src'), file).replace(/\.ts$/, '.mjs')),
);
const run = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...built], {
  stdio: 'inherit',
});
process.exit(run.status ?? 1);
