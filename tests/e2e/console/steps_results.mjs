// Steps about what a search gives besides rows: charts, fields, patterns, context, proposals, columns. Part of
// console_e2e.mjs; `c` is its Console.
import assert from 'node:assert/strict';

const kMarkup = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';

// Whether something that a row says became a part of the page.
async function hacked(c) {
  return c.page.evaluate(
    () =>
      window.hacked !== undefined ||
      document.querySelectorAll('#app img, #app script, #app iframe').length > 0,
  );
}

export const kResultSteps = {
  async neverRunsHostileRowsAnywhere(c) {
    await c.write([
      {
        body: `hostile ${kMarkup}`,
        level: 'error',
        evil: kMarkup,
        [kMarkup]: 'name',
        json: { [kMarkup]: [kMarkup, 'javascript:alert(1)'] },
        request_id: kMarkup,
        resource: { 'k8s.pod.name': kMarkup },
      },
      {
        body: `hostile \u001b[31m${kMarkup}\u001b]8;;javascript:alert(1)\u0007link\u001b]8;;\u0007`,
      },
      { body: JSON.stringify({ hostile: kMarkup, list: [kMarkup] }) },
    ]);
    await c.openSearch({ q: 'hostile', columns: `evil,${kMarkup}`, mark: kMarkup });
    await c.rows().first().waitFor();
    for (const fold of await c.page.locator('#rows .row-fold').all()) await fold.click();
    await c.page.locator('.field-item').first().waitFor();
    for (const head of await c.page.locator('.field-head').all()) await head.click();
    assert.ok((await c.page.locator('#fields').innerText()).includes(kMarkup));
    assert.ok(!(await hacked(c)), 'rows or fields');
    await c.page.keyboard.press('Escape');
    await c.page.click('#tab-patterns');
    await c.page.locator('.pattern').first().waitFor();
    assert.ok(!(await hacked(c)), 'patterns');
    for (const kind of ['table', 'line', 'bar', 'pie', 'value']) {
      await c.openSearch({ q: 'hostile | stats count() by evil', chart: kind });
      await c.page.locator('#analysis .segmented').waitFor();
      assert.ok(!(await hacked(c)), kind);
    }
    await c.openSearch();
    await c.page.click('#query');
    await c.page.keyboard.type('evil:');
    await c.page.locator('.completion-item').first().waitFor();
    assert.ok(!(await hacked(c)), 'proposals');
    await c.page.keyboard.press('Escape');
  },

  async runsUnderAStrictPolicy(c) {
    const page = await c.page.request.get(`${c.base}/`);
    const policy = page.headers()['content-security-policy'];
    assert.match(policy, /default-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|data:|blob:|\*/);
    // What the page itself would be refused, were it ever tricked into it.
    const ran = await c.page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'window.inline = 1';
      document.head.append(script);
      script.remove();
      return window.inline === 1;
    });
    assert.ok(!ran, 'an inline script ran');
    c.complaints.splice(0);
  },

  async drawsAStatementInEachWay(c) {
    await c.openSearch({ q: 'user:* | stats count() by user' });
    await c.page.locator('#analysis table tbody tr').first().waitFor();
    assert.equal(await c.page.locator('#analysis tbody tr').count(), 5);
    for (const [kind, drawn] of [
      ['bar', '#analysis .chart rect'],
      ['pie', '#analysis .slice'],
      ['line', '#analysis .curve'],
      ['value', '#analysis .values dd'],
    ]) {
      await c.page.click(`[data-chart=${kind}]`);
      await c.page.locator(drawn).first().waitFor({ state: 'attached' });
      assert.equal(c.params().get('chart'), kind);
    }
    await c.page.reload();
    await c.page.locator('#analysis .values dd').first().waitFor();
    assert.ok(
      await c.page.locator('[data-chart=value] input').isChecked(),
      'the choice is not in the address',
    );
  },

  async drawsGroupsByTimeAsLines(c) {
    await c.openSearch({ q: 'user:* | timechart 1m count() by level' });
    await c.page.locator('#analysis .curve').first().waitFor({ state: 'attached' });
    assert.equal(await c.page.locator('#analysis .curve').count(), 2);
    await c.page.locator('#analysis .chart svg').focus();
    // The newest minute may have begun just now; the one before it has rows of both levels.
    await c.page.keyboard.press('ArrowLeft');
    await c.page.keyboard.press('ArrowLeft');
    assert.match(await c.page.locator('.chart-tip').innerText(), /info/);
    await c.shot('chart');
  },

  async narrowsFromATable(c) {
    await c.openSearch({ q: 'user:* | stats count() by user', chart: 'table' });
    const line = c.page.locator('#analysis tbody tr', { hasText: 'user 3' });
    await line.hover();
    await line.locator('.cell-actions button').first().click();
    await c.settled();
    assert.equal(c.params().get('q'), 'user:* user:="user 3" | stats count() by user');
    await c.page.waitForFunction(
      () => document.querySelectorAll('#analysis tbody tr').length === 1,
    );
  },

  async takesStatementsOfSeveralLines(c) {
    await c.openSearch();
    await c.page.click('#query');
    await c.page.keyboard.type('user:*');
    const low = await c.page.locator('.query-box').boundingBox();
    for (const line of ['| SELECT user, count(*) AS n', '  GROUP BY user LIMIT 3']) {
      await c.page.keyboard.press('Shift+Enter');
      await c.page.keyboard.type(line);
    }
    const high = await c.page.locator('.query-box').boundingBox();
    assert.ok(high.height > low.height + 30, 'the box does not grow');
    await c.page.keyboard.press('Escape');
    await c.shot('several-lines');
    await c.page.click('#query');
    await c.page.keyboard.press('Enter');
    await c.page.waitForFunction(
      () => document.querySelectorAll('#analysis tbody tr').length === 3,
    );
  },

  async saysWhereAStatementIsWrong(c) {
    await c.search('* | stats nothing_like_it(user)');
    await c.page.waitForSelector('#query-error');
    assert.match(await c.page.locator('#query-error').innerText(), /nothing_like_it/);
  },

  async proposesFieldsAndValues(c) {
    await c.openSearch();
    await c.page.click('#query');
    await c.page.keyboard.type('use');
    await c.page.locator('.completion-item', { hasText: 'user' }).waitFor();
    await c.page.keyboard.press('Tab');
    assert.equal(await c.page.inputValue('#query'), 'user:');
    await c.page.locator('.completion-item', { hasText: 'user 4' }).waitFor();
    await c.shot('completion');
    await c.page.keyboard.type('"user 2');
    await c.page.waitForFunction(() => document.querySelectorAll('.completion-item').length === 1);
    await c.page.keyboard.press('ArrowDown');
    await c.page.keyboard.press('Enter');
    assert.equal(await c.page.inputValue('#query'), 'user:"user 2" ');
    await c.page.keyboard.press('Enter');
    await c.settled();
    assert.equal(await c.total(), c.rowCount / 5);
    await c.page.fill('#query', '* | ');
    await c.page.keyboard.press('ArrowDown');
    await c.page.locator('.completion-item', { hasText: 'timechart' }).waitFor();
    await c.page.keyboard.press('Escape');
    await c.page.locator('.completion').waitFor({ state: 'detached' });
  },

  async listsFieldsWithTheirValues(c) {
    await c.openSearch({ q: 'user:*' });
    const user = c.page.locator('.field-item', {
      has: c.page.locator('.field-name', { hasText: /^user$/ }),
    });
    await user.locator('.field-head').click();
    assert.match(await user.innerText(), /100%[\s\S]*user 0[\s\S]*20%/);
    await user.locator('.top-actions button').nth(1).click();
    await c.settled();
    assert.match(c.params().get('q'), /^user:\* NOT user:="user \d"$/);
    assert.equal(await c.total(), (c.rowCount * 4) / 5);
    const took = c.page.locator('.field-item', {
      has: c.page.locator('.field-name', { hasText: /^took_ms$/ }),
    });
    await took.locator('.field-head').click();
    await took.locator('.spread rect').first().waitFor();
    assert.match(await took.locator('.figures').innerText(), /p99/);
    await c.shot('fields');
  },

  async pinsFieldsAsColumns(c) {
    await c.openSearch({ q: 'user:*' });
    await c.page.locator('#rows .row-fold').first().click();
    await c.page.locator('.row-open button[aria-label="Show status as a column"]').click();
    await c.page.locator('.column-head', { hasText: 'status' }).waitFor();
    assert.equal(c.params().get('columns'), 'status');
    assert.match(
      await c.page.locator('#rows .row-column[data-name=status]').first().innerText(),
      /^(200|503)$/,
    );
    await c.page.locator('.column-head button').click();
    await c.page.locator('.column-head').waitFor({ state: 'detached' });
    assert.equal(c.params().get('columns'), null);
  },

  async showsLevelsInTheHistogram(c) {
    await c.openSearch();
    await c.page.locator('.histogram .bar-error').first().waitFor();
  },

  async saysWhyBlocksWereSkipped(c) {
    await c.openSearch({ q: 'user:* request' });
    await c.page.click('#explain-button');
    await c.page.locator('#explain .fates dt').first().waitFor();
    assert.match(await c.page.locator('.explain-plan').innerText(), /request/);
    await c.shot('explain');
    await c.page.keyboard.press('Escape');
  },

  async groupsRowsByPattern(c) {
    await c.openSearch();
    await c.page.keyboard.press('Escape');
    await c.page.click('#tab-patterns');
    const pattern = c.page.locator('.pattern', { hasText: 'request done' }).first();
    await pattern.waitFor();
    await c.page.locator('#patterns label', { hasText: 'The time before' }).click();
    await c.page.locator('.change-new').first().waitFor();
    await c.shot('patterns');
    await pattern.locator('.pattern-actions button').first().click();
    await c.settled();
    const texts = await c.rows().allInnerTexts();
    assert.ok(texts.length > 0 && texts.every((text) => /request done/.test(text)), texts[0]);
    assert.equal(c.params().get('tab'), null);
  },

  async showsNestedValuesAsATree(c) {
    await c.openSearch({ q: '"number 12"' });
    await c.page.locator('#rows .row-fold').first().click();
    const tree = c.page.locator('.row-open .tree');
    await tree.first().waitFor();
    assert.match(await tree.first().innerText(), /depth: 12/);
    await tree.locator('.leaf', { hasText: 'depth' }).hover();
    await tree.locator('.leaf', { hasText: 'depth' }).locator('button').first().click();
    await c.settled();
    assert.match(c.params().get('q'), /nested\.depth:=12/);
    assert.equal(await c.total(), 1);
  },

  async showsTerminalColours(c) {
    await c.openSearch({ q: 'user:* alert' });
    const red = c.page.locator('#rows .ansi-1').first();
    await red.waitFor();
    assert.equal(await red.innerText(), 'red alert');
  },

  async showsAllRowsOfARequest(c) {
    await c.openSearch({ q: '"number 12"' });
    await c.page.locator('#rows .row-fold').first().click();
    await c.page.locator('.row-open button', { hasText: 'All rows with this trace_id' }).click();
    await c.settled();
    assert.equal(c.params().get('q'), 'trace_id:=trace12');
    assert.equal(await c.total(), c.rowCount / 50);
  },

  async showsARowInItsContext(c, { followed }) {
    const { project, logstore, query } = followed;
    await c.open('search', { project, logstore, q: query, from: '-1d' });
    await c.settled();
    await c.page.locator('#rows .row-fold').first().click();
    await c.page.locator('.row-open button', { hasText: 'In its context' }).click();
    await c.page.locator('.context-here').waitFor();
    const few = await c.page.locator('.context-row').count();
    await c.page.click('#context-before');
    await c.page.waitForFunction((n) => document.querySelectorAll('.context-row').length > n, few);
    await c.shot('context');
    await c.page.reload();
    await c.page.locator('.context-here').waitFor();
    await c.page.keyboard.press('Escape');
    await c.page.locator('#context').waitFor({ state: 'detached' });
  },

  async drawsOnlyTheRowsNearTheScreen(c, { dev }) {
    if (!dev) return;
    await c.open('search', { project: 'default', logstore: 'cluster', from: '-5d' });
    await c.settled();
    await c.page.waitForFunction(() => {
      window.scrollTo(0, document.body.scrollHeight);
      return Number(document.querySelector('#rows').dataset.count) >= 2000;
    });
    assert.ok((await c.rows().count()) < 700, 'rows far from the screen are drawn');
    await c.page.keyboard.press('g');
    await c.page.waitForFunction(
      () => document.activeElement?.closest('.row') === document.querySelector('#rows .row'),
    );
    await c.page.keyboard.press('G');
    await c.page.waitForFunction(() => {
      const rows = document.querySelectorAll('#rows .row');
      return document.activeElement?.closest('.row') === rows[rows.length - 1];
    });
  },

  async searchesSeveralLogstores(c, { dev }) {
    if (!dev) return;
    await c.open('search', { project: 'default', logstore: 'cluster', from: '-1h' });
    await c.settled();
    await c.page.click('#store-button');
    await c.page.click('button[aria-label="Search payments as well"]');
    await c.settled();
    assert.equal(c.params().get('logstore'), 'cluster,payments');
    await c.page.keyboard.press('Escape');
    await c.page.locator('#rows .row-fold').first().click();
    assert.match(await c.page.locator('.row-open .details .tag').innerText(), /cluster|payments/);
  },

  async clearsAndHighlightsWhileLive(c) {
    await c.openSearch({ live: '1' });
    await c.page.waitForSelector('.live-open');
    await c.rows().first().waitFor();
    await c.page.click('#clear');
    await c.page.waitForFunction(() => !document.querySelector('#rows .row'));
    // Typed slower than the list is drawn again.
    await c.page.locator('#highlight').pressSequentially('pelican', { delay: 90 });
    await c.page.press('#highlight', 'Enter');
    await c.page.waitForFunction(() => /mark=pelican/.test(location.hash));
    await c.write([{ body: 'a pelican lands', level: 'info' }]);
    await c.page.locator('#rows mark', { hasText: 'pelican' }).waitFor();
    assert.equal(await c.rows().count(), 1);
    await c.page.click('#live');
    await c.page.waitForSelector('.live', { state: 'detached' });
  },

  async exportsTheRowsFound(c) {
    await c.openSearch({ q: 'user:="user 1"' });
    await c.page.click('#export-button');
    const [download] = await Promise.all([
      c.page.waitForEvent('download'),
      c.page.click('#export-run'),
    ]);
    const stream = await download.createReadStream();
    let text = '';
    for await (const piece of stream) text += piece;
    assert.equal(text.trim().split('\n').length, c.rowCount / 5);
    await c.shot('export');
    await c.page.keyboard.press('Escape');
  },
};
