// How long it takes from Enter to the first rows on the screen: prints one JSON line, asserts nothing.
//
//   node first_rows.mjs BIN_DIR [ROWS]     a kelp-server of BIN_DIR with ROWS rows, 120 000 if not said
//
// Measured in the page: from the key to the frame after the one in which the first row holds the word that
// was searched for. Exit code 77 (skipped) when the browser or its driver is missing.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const kSkipped = 77;
const kChromium = process.env.KELP_CHROMIUM ?? '/usr/bin/chromium';
const kWords = ['alpha', 'beta', 'gamma', 'delta'];
const kRounds = 5;
const kRowsAtOnce = 10_000;
// Between two searches: what comes after the first rows (fields, bars) is drawn by then.
const kPauseMillis = 600;

async function browserDriver() {
  try {
    if (existsSync(kChromium)) return (await import('playwright-core')).chromium;
  } catch {
    // Said below.
  }
  console.log('skipped: Chromium or playwright-core is not installed');
  return process.exit(kSkipped);
}

function startServer(bin, work) {
  const config = path.join(work, 'server.yaml');
  writeFileSync(config, `data_dir: ${work}/data\nhttp: {listen: "127.0.0.1:0"}\n`);
  const child = spawn(path.join(bin, 'kelp-server'), ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (data) => {
      said += data;
      const listening = /listening on ([0-9.:]+)/.exec(said);
      if (listening) resolve({ child, config, base: `http://${listening[1]}` });
    });
    child.once('exit', () => reject(new Error(`the server did not start: ${said}`)));
  });
}

async function addRows(base, token, count) {
  const logstores = `${base}/api/v1/projects/default/logstores`;
  const post = async (url, body) => {
    const answer = await fetch(url, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body });
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  };
  await post(logstores, JSON.stringify({ name: 'first-rows' }));
  const now = Date.now();
  for (let first = 0; first < count; first += kRowsAtOnce) {
    const rows = [];
    for (let n = first; n < Math.min(count, first + kRowsAtOnce); ++n) {
      rows.push(JSON.stringify({
        time: new Date(now - ((count - n) * 3_000_000) / count).toISOString(),
        body: `${kWords[n % kWords.length]} request ${n} took ${n % 97} ms for user${n % 500}`,
        level: ['info', 'info', 'warn', 'error'][(n % 13) % 4],
        status: 200 + (n % 5),
        path: `/api/v1/x${n % 40}`,
        resource: { 'k8s.pod.name': `pod-${n % 50}`, 'k8s.namespace.name': 'shop' },
      }));
    }
    await post(`${logstores}/first-rows/rows`, rows.join('\n'));
  }
}

// Sets window.took when the first row holds what was in the search box at Enter.
function watchEnter() {
  const look = (word, begin) => {
    if (document.querySelector('#rows .row')?.textContent.includes(word)) {
      requestAnimationFrame(() => { window.took = performance.now() - begin; });
    } else {
      requestAnimationFrame(() => look(word, begin));
    }
  };
  addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    const word = document.querySelector('#query').value;
    const begin = performance.now();
    requestAnimationFrame(() => look(word, begin));
  }, true);
}

async function measure(chromium, base, code) {
  const browser = await chromium.launch({ executablePath: kChromium, args: ['--no-sandbox', '--disable-gpu'] });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  await context.request.post(`${base}/api/v1/sign-in`, { data: { code } });
  const page = await context.newPage();
  await page.goto(`${base}/#/search?project=default&logstore=first-rows&from=-1d`);
  await page.locator('#rows .row').first().waitFor();
  await page.evaluate(watchEnter);
  const took = [];
  for (let round = 0; round < kRounds; ++round) {
    for (const word of kWords) {
      await page.waitForTimeout(kPauseMillis);
      await page.evaluate(() => { window.took = undefined; });
      await page.fill('#query', word);
      await page.press('#query', 'Enter');
      await page.waitForFunction(() => window.took !== undefined);
      took.push(Math.round(await page.evaluate(() => window.took)));
    }
  }
  await browser.close();
  return took.sort((a, b) => a - b);
}

const [bin, rows = '120000'] = process.argv.slice(2);
if (!bin) {
  console.error('usage: node first_rows.mjs BIN_DIR [ROWS]');
  process.exit(2);
}
const chromium = await browserDriver();
const work = mkdtempSync(path.join(os.tmpdir(), 'kelp-first-rows-'));
const { child, config, base } = await startServer(bin, work);
try {
  await addRows(base, readFileSync(path.join(work, 'data/admin.token'), 'utf8').trim(), Number(rows));
  const code = spawnSync(path.join(bin, 'kelp-server'), ['sign-in-code', '-c', config], { encoding: 'utf8' });
  const took = await measure(chromium, base, code.stdout.trim().split('\n').pop());
  const median = took[took.length >> 1];
  console.log(JSON.stringify({ case: 'first_rows', rows: Number(rows), searches: took.length, median_ms: median,
    p90_ms: took[Math.floor(took.length * 0.9)], max_ms: took.at(-1) }));
} finally {
  child.removeAllListeners('exit');
  child.kill();
  rmSync(work, { recursive: true, force: true });
}
