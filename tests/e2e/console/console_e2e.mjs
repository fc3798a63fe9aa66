// Drives the console in a real Chromium against a running server.
//
//   node console_e2e.mjs BASE_URL SIGN_IN_CODE [SCREENSHOT_DIR]     console_real.sh starts what it needs
//   node console_e2e.mjs --dev [SCREENSHOT_DIR]     against console/dev-server.mjs, which it starts
//
// Writes its own rows into a fresh logstore through the API, then does what an operator does: signs in,
// chooses the logstore, searches, zooms, unfolds, narrows, follows, stops, signs out. Exit code 0 when
// all of it worked, 1 with the step that did not, 77 (skipped) when a browser or a package is missing.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { kPageSteps } from './steps_pages.mjs';
import { kResultSteps } from './steps_results.mjs';

const kSkipped = 77;
const kChromium = process.env.KELP_CHROMIUM ?? '/usr/bin/chromium';
const kFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const kStepMillis = 10_000;
const kProject = 'console-e2e';
const kLogstore = `rows-${Date.now().toString(36)}`;
const kRows = 450;
const kMarkup = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
const here = path.dirname(fileURLToPath(import.meta.url));
const consoleFolder = path.resolve(here, '../../../console');

function skip(why) {
  console.log(`skipped: ${why}`);
  process.exit(kSkipped);
}

async function playwright() {
  try {
    return (await import('playwright-core')).chromium;
  } catch {
    return skip('playwright-core is not installed (npm ci in tests/e2e/console)');
  }
}

// Starts the development server; gives its address and code.
async function startDevServer() {
  if (!existsSync(path.join(consoleFolder, 'dist/app.js'))) skip('the console is not built');
  const code = 'e2e-code';
  const args = ['dev-server.mjs', '--port', '0', '--code', code, '--rows', '2000'];
  const child = spawn(process.execPath, args, { cwd: consoleFolder });
  process.on('exit', () => child.kill());
  const line = await new Promise((resolve, reject) => {
    child.stdout.once('data', (data) => resolve(String(data)));
    child.once('exit', () => reject(new Error('the development server did not start')));
  });
  return { base: /http:\/\/[^/]+/.exec(line)[0], code };
}

// Rows of the last ten minutes, one each second or so, the newest a second old.
function makeRows() {
  const now = Date.now();
  const rows = [];
  for (let n = 0; n < kRows; ++n) {
    const error = n % 9 === 0;
    rows.push({
      time: new Date(now - 1000 - n * 1300).toISOString(),
      body: `${error ? 'ERROR request failed' : 'INFO request done'} number ${n}`,
      level: error ? 'error' : 'info',
      status: error ? 503 : 200,
      user: `user ${n % 5}`,
      took_ms: n * 2,
      trace_id: `trace${n % 50}`,
      nested: { depth: n, list: [1, 'two', null] },
      resource: {
        'k8s.namespace.name': 'shop',
        'k8s.pod.name': `web-${n % 3}`,
        'k8s.container.name': 'app',
      },
    });
  }
  rows[3].body = `markup ${kMarkup}`;
  rows[7].body = '\u001b[31mred alert\u001b[0m number 7';
  rows[5].body = '支付服务超时 payment';
  return rows;
}

class Console {
  constructor(page, base, shots) {
    Object.assign(this, {
      page,
      base,
      shots,
      project: kProject,
      logstore: kLogstore,
      rowCount: kRows,
    });
    this.store = `${base}/api/v1/projects/${kProject}/logstores`;
  }

  async shot(name) {
    if (this.shots) await this.page.screenshot({ path: path.join(this.shots, `${name}.png`) });
  }

  async post(url, body) {
    // A Buffer goes out as it is; a string would be quoted once more.
    const data = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const answer = await this.page.request.post(url, {
      data,
      headers: { 'Content-Type': 'application/json' },
    });
    assert.ok(
      answer.ok() || answer.status() === 409,
      `POST ${url}: ${answer.status()} ${await answer.text()}`,
    );
  }

  write(rows) {
    return this.post(
      `${this.store}/${kLogstore}/rows`,
      rows.map((row) => JSON.stringify(row)).join('\n'),
    );
  }

  // Runs a query and waits until its rows, or what stands in their place, are there.
  async search(query) {
    await this.page.fill('#query', query);
    await this.page.press('#query', 'Enter');
    await this.settled();
  }

  async settled() {
    await this.page.waitForFunction(() => {
      // The same parameters, in whatever order they were written.
      const parts = (hash) =>
        JSON.stringify([...new URLSearchParams(hash.replace(/^.*\?/, ''))].sort());
      const shown = document.querySelector('main.page')?.dataset.shown;
      return shown && parts(shown) === parts(location.hash);
    });
  }

  rows() {
    return this.page.locator('#rows .row');
  }

  async total() {
    const text = await this.page.locator('.stats strong').innerText();
    return Number(/([\d,]+) rows?/.exec(text)[1].replaceAll(',', ''));
  }

  // Opens a page by its address and waits for its title.
  async open(page, params = {}) {
    await this.page.goto(`${this.base}/#/${page}?${new URLSearchParams(params)}`);
    await this.page
      .locator(`nav a[aria-current][href="#/${page}"]`)
      .first()
      .waitFor({ state: 'attached' });
    await this.page.locator('h1').waitFor();
    // The page listens to the keyboard once it has been painted.
    await this.page.evaluate(async () => {
      for (let n = 0; n < 3; ++n) await new Promise((resolve) => requestAnimationFrame(resolve));
    });
  }

  // The search page with this logstore, newest hour.
  async openSearch(params = {}) {
    await this.open('search', { project: kProject, logstore: kLogstore, from: '-1h', ...params });
    await this.settled();
  }

  params() {
    return new URL(this.page.url().replace('#/', '')).searchParams;
  }
}

const kSteps = {
  async signsInWithTheCode(c, { code }) {
    await c.page.goto(`${c.base}/#/sign-in?code=${code}`);
    await c.page.waitForSelector('#store-button');
    assert.ok(!c.page.url().includes(code), 'the code stays in the address');
  },

  async aCodeWorksOnce(c, { code, browser }) {
    const other = await browser.newContext();
    const page = await other.newPage();
    await page.goto(`${c.base}/#/sign-in?code=${code}`);
    await page.waitForSelector('#token');
    await page.waitForFunction(() => document.querySelector('#token-problem')?.textContent !== '');
    await page.fill('#token', 'not-a-token');
    await page.press('#token', 'Enter');
    await page.waitForFunction(() =>
      /does not know/.test(document.querySelector('#token-problem').textContent),
    );
    if (c.shots) await page.screenshot({ path: path.join(c.shots, 'sign-in.png') });
    await other.close();
  },

  async choosesALogstore(c) {
    await c.post(`${c.base}/api/v1/projects`, { name: kProject });
    await c.post(c.store, { name: kLogstore, retention: '1d' });
    await c.write(makeRows());
    await c.page.click('#store-button');
    const section = c.page.locator(`.stores section[aria-label="${kProject}"]`);
    await section.locator('.store-item', { hasText: kLogstore }).click();
    await c.settled();
    await c.rows().first().waitFor();
    assert.equal(c.params().get('logstore'), kLogstore);
    assert.equal(await c.total(), kRows);
    await c.shot('rows-light');
  },

  async loadsOlderRowsWhenScrolled(c) {
    await c.page.waitForFunction((rows) => {
      window.scrollTo(0, document.body.scrollHeight);
      return Number(document.querySelector('#rows').dataset.count) === rows;
    }, kRows);
    await c.page.waitForFunction(() =>
      /all matching rows/.test(document.querySelector('.foot').textContent),
    );
    await c.page.evaluate(() => window.scrollTo(0, 0));
  },

  async searches(c) {
    await c.search('level:error request');
    assert.equal(await c.total(), kRows / 9);
    const texts = await c.rows().allInnerTexts();
    assert.ok(
      texts.every((text) => text.includes('ERROR')),
      'a row without the word',
    );
    assert.ok((await c.page.locator('#rows mark').count()) > 0, 'no words marked');
    assert.equal(c.params().get('q'), 'level:error request');
    await c.search('支付服务');
    assert.equal(await c.total(), 1);
  },

  async marksAWrongQuery(c) {
    await c.search('level:error AND (request');
    await c.page.waitForSelector('#query-error');
    assert.equal(await c.page.getAttribute('#query', 'aria-invalid'), 'true');
    assert.equal(await c.page.locator('.q-wrong').count(), 1);
    await c.shot('wrong-query');
    // Characters are counted as people see them, whatever their size in bytes.
    await c.search('支付 "open');
    await c.page.waitForSelector('.q-wrong');
    const before = await c.page.evaluate(() => {
      const layer = document.querySelector('.query-layer').textContent;
      const wrong = document.querySelector('.q-wrong').textContent;
      return { layer, wrong };
    });
    assert.ok(before.wrong === '"' || before.wrong === ' ', `marked ${JSON.stringify(before)}`);
  },

  async zoomsByDraggingOverTheHistogram(c) {
    await c.search('');
    const all = await c.total();
    const svg = c.page.locator('.histogram svg');
    const box = await svg.boundingBox();
    await c.page.mouse.move(box.x + box.width * 0.6, box.y + 40);
    await c.page.mouse.down();
    await c.page.mouse.move(box.x + box.width * 0.7, box.y + 40, { steps: 5 });
    await c.page.mouse.move(box.x + box.width * 0.8, box.y + 40, { steps: 5 });
    await c.shot('histogram-drag');
    await c.page.mouse.up();
    await c.page.waitForFunction(() => /from=20/.test(location.hash));
    await c.settled();
    const zoomed = await c.total();
    assert.ok(zoomed > 0 && zoomed < all, `${zoomed} of ${all}`);
    await c.page.goBack();
    await c.page.waitForFunction(() => /from=-15m/.test(location.hash));
    await c.settled();
    assert.equal(await c.total(), all);
  },

  async unfoldsAndNarrowsByKeyboard(c) {
    await c.page.keyboard.press('/');
    await c.page.keyboard.type('number');
    await c.page.keyboard.press('Enter');
    await c.settled();
    await c.page.keyboard.press('Escape');
    await c.page.keyboard.press('j');
    await c.page.keyboard.press('j');
    await c.page.keyboard.press('Enter');
    const details = c.page.locator('.row-open .details');
    await details.waitFor();
    assert.match(await details.innerText(), /k8s\.pod\.name/);
    await c.shot('unfolded');
    const user = details.locator('.property', { hasText: /^user/ });
    const name = await user.locator('.value').innerText();
    await user.locator('button').nth(0).click();
    await c.settled();
    assert.equal(c.params().get('q'), `number user:="${name}"`);
    const some = await c.total();
    assert.ok(some > 0 && some <= kRows / 5);
    await c.rows().first().locator('.row-fold').click();
    await c.page
      .locator('.row-open .property', { hasText: /^status/ })
      .locator('button')
      .nth(1)
      .click();
    await c.settled();
    assert.ok((await c.total()) < some);
    await c.page.locator('#rows .row').first().waitFor();
    await c.page.keyboard.press('Escape');
  },

  async neverRunsWhatALineSays(c) {
    await c.search('markup');
    await c.rows().first().locator('.row-fold').click();
    await c.page.locator('.row-open .body').waitFor();
    assert.equal(await c.page.locator('#rows img, #rows script').count(), 0);
    assert.equal(await c.page.evaluate(() => window.hacked), undefined);
    assert.ok((await c.page.locator('.row-open .body').innerText()).includes(kMarkup));
  },

  async helpsWhenNothingIsFound(c) {
    await c.search('nowhere_to_be_found');
    await c.page.locator('.empty').waitFor();
    await c.shot('empty');
    await c.page.locator('.empty .button').last().click();
    await c.rows().first().waitFor();
  },

  async choosesATimeRange(c) {
    await c.page.keyboard.press('Escape');
    await c.page.keyboard.press('t');
    await c.page.fill('#from', 'tomorrow');
    await c.page.press('#from', 'Enter');
    await c.page.waitForFunction(() =>
      /not a time/.test(document.querySelector('.exact .field-error').textContent),
    );
    await c.page.fill('#from', '-5m');
    await c.shot('time-range');
    await c.page.press('#from', 'Enter');
    await c.page.waitForFunction(() => /from=-5m/.test(location.hash));
    await c.settled();
    assert.ok((await c.total()) < kRows);
    await c.page.click('#range-button');
    await c.page.click('[data-range="-1h"]');
    await c.settled();
    assert.equal(await c.total(), kRows);
  },

  async followsNewRows(c) {
    await c.search('live');
    await c.page.click('#live');
    await c.page.waitForSelector('.live-open');
    await c.write([{ body: 'live row one', level: 'warn' }]);
    await c.page.locator('#rows .row', { hasText: 'live row one' }).waitFor();
    await c.page.click('#pause');
    await c.write([{ body: 'live row two' }]);
    await c.page.waitForFunction(() =>
      /1 row waiting/.test(document.querySelector('.live').textContent),
    );
    assert.equal(await c.page.locator('#rows .row', { hasText: 'live row two' }).count(), 0);
    await c.shot('live');
    await c.page.click('#resume');
    await c.page.locator('#rows .row', { hasText: 'live row two' }).waitFor();
    const texts = await c.rows().allInnerTexts();
    assert.ok(texts[0].includes('two') && texts[1].includes('one'), 'not newest first');
    await c.page.click('#live');
    await c.page.waitForSelector('.live', { state: 'detached' });
  },

  async speaksBothLanguagesInBothThemes(c) {
    await c.search('');
    await c.page.click('#settings-button');
    await c.page.locator('.settings label', { hasText: 'Dark' }).click();
    assert.equal(await c.page.getAttribute('html', 'data-theme'), 'dark');
    await c.page.locator('.settings label', { hasText: '中文' }).click();
    await c.page.waitForFunction(() => document.documentElement.lang === 'zh-CN');
    await c.rows().first().waitFor();
    await c.settled();
    await c.shot('rows-dark-zh');
    await c.page.setViewportSize({ width: 390, height: 844 });
    await c.page.waitForTimeout(300);
    await c.shot('rows-phone');
    const wide = await c.page.evaluate(
      () => document.documentElement.scrollWidth > window.innerWidth,
    );
    assert.ok(!wide, 'the page scrolls sideways on a phone');
    await c.page.setViewportSize({ width: 1280, height: 800 });
    await c.page.click('#settings-button');
    await c.page.locator('.settings label', { hasText: 'English' }).click();
  },

  async stopsASlowSearch(c, { dev }) {
    // Only the development server can be slow on request.
    if (!dev) return;
    await c.page.fill('#query', 'slow number');
    await c.page.press('#query', 'Enter');
    await c.page.click('#stop');
    await c.page.locator('.empty', { hasText: 'stopped' }).waitFor({ timeout: 3000 });
    await c.page.waitForSelector('#run');
  },

  async signsOut(c) {
    await c.page.click('#settings-button');
    await c.page.locator('.settings .menu-item', { hasText: 'Sign out' }).click();
    await c.page.waitForSelector('#token');
    await c.page.reload();
    await c.page.waitForSelector('#token');
    await c.page.waitForFunction(() => !document.querySelector('#rows'));
  },
};

async function main() {
  const args = process.argv.slice(2);
  const dev = args[0] === '--dev';
  if (!dev && args.length < 2) {
    console.error(
      'usage: console_e2e.mjs BASE_URL SIGN_IN_CODE [SCREENSHOT_DIR] | --dev [SCREENSHOT_DIR]',
    );
    return 2;
  }
  if (!existsSync(kChromium)) skip('chromium is not installed');
  const chromium = await playwright();
  const { base, code } = dev
    ? await startDevServer()
    : { base: args[0].replace(/\/$/, ''), code: args[1] };
  const shots = args[dev ? 1 : 2];
  if (shots) mkdirSync(shots, { recursive: true });

  const browser = await chromium.launch({
    executablePath: kChromium,
    headless: true,
    args: kFlags,
  });
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    colorScheme: 'light',
    locale: 'en-US',
  });
  context.setDefaultTimeout(kStepMillis);
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`));
  page.on('console', (message) => {
    // The browser reports every refused request here; the steps provoke some.
    const refused = /Failed to load resource/.test(message.text());
    if (message.type() === 'error' && !refused) complaints.push(`console: ${message.text()}`);
  });

  const c = new Console(page, base, shots);
  c.complaints = complaints;
  // A logstore to which an agent sends a file, and a search for a row in the middle of it.
  const [project, logstore] = (process.env.KELP_E2E_FOLLOWED ?? 'default/cluster').split('/');
  const followed = { project, logstore, query: dev ? 'NOERROR' : '"number 40"' };
  let failed = 0;
  const { signsOut, ...first } = kSteps;
  const steps = { ...first, ...kResultSteps, ...kPageSteps, signsOut };
  for (const [name, step] of Object.entries(steps)) {
    const started = Date.now();
    try {
      await step(c, { code, browser, dev, followed });
      assert.deepEqual(complaints, []);
      console.log(`ok ${name} (${Date.now() - started} ms)`);
    } catch (error) {
      console.log(`not ok ${name}: ${error.stack}`);
      await c.shot(`failed-${name}`).catch(() => {});
      failed = 1;
      break;
    }
  }
  await browser.close();
  return failed;
}

process.exit(await main());
