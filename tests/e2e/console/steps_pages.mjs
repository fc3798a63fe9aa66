// Steps about what people keep and about the pages besides the search. Part of console_e2e.mjs; `c` is its
// Console.
import assert from 'node:assert/strict';

async function submit(c) {
  await c.page.click('dialog .form-buttons button[type=submit]');
}

export const kPageSteps = {
  async keepsASearchAndOpensItAgain(c) {
    await c.openSearch({ q: 'level:error', columns: 'status' });
    await c.page.keyboard.press('Escape');
    await c.page.keyboard.press('s');
    await c.page.fill('#save-name', 'all errors');
    await c.page.press('#save-name', 'Enter');
    await c.page.locator('.library-item', { hasText: 'all errors' }).waitFor();
    await c.shot('library');
    await c.page.keyboard.press('Escape');
    await c.search('');
    await c.page.click('#library-button');
    await c.page.locator('.library-item', { hasText: 'all errors' }).click();
    await c.settled();
    assert.equal(c.params().get('q'), 'level:error');
    assert.equal(c.params().get('columns'), 'status');
  },

  async remembersWhatWasSearched(c) {
    await c.openSearch();
    await c.search('number 77');
    await c.page.click('#library-button');
    await c.page.locator('.library label', { hasText: 'History' }).click();
    await c.page.locator('.library-item', { hasText: 'number 77' }).waitFor();
    await c.page.keyboard.press('Escape');
  },

  async makesADashboardOfSavedSearches(c) {
    await c.open('dashboards', { project: c.project });
    await c.page.click('#create-dashboard');
    await c.page.fill('#dashboard-title', 'Request overview');
    await submit(c);
    await c.page.click('#add-panel');
    await c.page.selectOption('#panel-saved', 'all errors');
    await c.page.locator('dialog [data-chart=value]').click();
    await submit(c);
    await c.page.locator('.panel-box .values dd').waitFor();
    await c.page.click('#add-panel');
    await c.page.fill('#panel-title', 'By level');
    await c.page.fill('#panel-q', '* | timechart 1m count() by level');
    await c.page.locator('dialog .check', { hasText: c.logstore }).locator('input').check();
    await submit(c);
    await c.page.locator('.panel-box .curve').first().waitFor({ state: 'attached' });
    await c.page.click('#save-dashboard');
    await c.page.waitForSelector('#edit-dashboard');
    await c.page.reload();
    await c.page.locator('.panel-box .curve').first().waitFor({ state: 'attached' });
    assert.equal(await c.page.locator('.panel-box').count(), 2);
    await c.page.selectOption('#refresh-every', '10s');
    assert.match(c.page.url(), /refresh=10s/);
    await c.shot('dashboard');
    await c.page.locator('.panel-head a', { hasText: 'By level' }).click();
    await c.page.locator('#analysis .curve').first().waitFor({ state: 'attached' });
  },

  async makesChangesAndDeletesALogstore(c) {
    await c.open('logstores');
    const line = c.page.locator('tr', { hasText: c.logstore });
    assert.match(await line.innerText(), /1d/);
    await c.shot('logstores');
    const name = `made-${c.logstore}`;
    await c.page.click('#create-logstore');
    await c.page.fill('#logstore-name', name);
    await c.page.fill('#project', c.project);
    await c.page.fill('#retention', '7d');
    await submit(c);
    const made = c.page.locator('tr', { hasText: name });
    await made.waitFor();
    assert.match(await made.innerText(), /7d/);
    await made.locator('button').first().click();
    await c.page.fill('#retention', '2d');
    await submit(c);
    await c.page.locator('tr', { hasText: name }).locator('td', { hasText: '2d' }).waitFor();
    await made.locator('button').nth(1).click();
    assert.ok(
      await c.page.locator('dialog button[type=submit]').isDisabled(),
      'deletes without the name',
    );
    await c.page.fill('#confirm', name);
    await submit(c);
    await made.waitFor({ state: 'detached' });
  },

  async makesATokenThatIsShownOnce(c) {
    await c.open('tokens');
    await c.page.click('#create-token');
    await c.page.fill('#token-name', 'e2e viewer');
    await submit(c);
    const secret = await c.page.locator('#new-token').innerText();
    assert.ok(secret.length >= 16);
    await c.page.click('dialog .button-primary');
    const line = c.page.locator('tr', { hasText: 'e2e viewer' });
    await line.waitFor();
    assert.ok(!(await c.page.content()).includes(secret), 'the token stays on the page');
    await line.locator('button').click();
    await submit(c);
    await line.waitFor({ state: 'detached' });
  },

  async listsAgents(c, { followed }) {
    await c.open('agents');
    await c.page.locator('tbody tr', { hasText: followed.logstore }).first().waitFor();
    await c.shot('agents');
  },

  async makesSilencesAndDeletesAnAlert(c) {
    await c.open('alerts', { project: c.project });
    await c.page.click('#create-alert');
    await submit(c);
    await c.page.waitForFunction(() =>
      /needs a name/.test(document.querySelector('dialog .field-error').textContent),
    );
    await c.page.fill('#alert-name', 'too-many-errors');
    await c.page.fill('#alert-value', '5');
    await submit(c);
    const card = c.page.locator('.alert', { hasText: 'too-many-errors' });
    await card.waitFor();
    assert.match(await card.innerText(), /count > 5 in 5m/);
    await card.locator('select').selectOption('1');
    await card
      .locator('select')
      .locator('option', { hasText: 'No longer silent' })
      .waitFor({ state: 'attached' });
    await c.shot('alerts');
    await card.locator('button').last().click();
    await submit(c);
    await card.waitFor({ state: 'detached' });
  },

  async goesToPagesByKeyboardAndOnAPhone(c) {
    await c.open('settings');
    await c.page.keyboard.press('4');
    await c.page.waitForFunction(() => /logstores/.test(location.hash));
    await c.page.setViewportSize({ width: 390, height: 844 });
    for (const page of [
      'search',
      'dashboards',
      'alerts',
      'logstores',
      'agents',
      'tokens',
      'settings',
    ]) {
      await c.page.click('#nav-button');
      await c.page.locator(`.nav-list a[href="#/${page}"]`).click();
      await c.page.locator('h1').waitFor();
      await c.page.waitForTimeout(250);
      const wide = await c.page.evaluate(
        () => document.documentElement.scrollWidth > window.innerWidth,
      );
      assert.ok(!wide, `${page} scrolls sideways on a phone`);
      await c.shot(`phone-${page}`);
    }
    await c.openSearch({ q: 'user:*' });
    for (const id of ['store', 'range', 'explain', 'library', 'export', 'settings', 'nav']) {
      await c.page.click(`#${id}-button`);
      const panel = await c.page.locator('.panel').boundingBox();
      const inside = panel.x >= 0 && panel.x + panel.width <= 390;
      assert.ok(inside, `the panel of ${id} is cut off: ${JSON.stringify(panel)}`);
      await c.page.keyboard.press('Escape');
    }
    await c.page.setViewportSize({ width: 1280, height: 800 });
  },

  async namesEverythingThatCanBePressed(c) {
    for (const page of [
      'search',
      'dashboards',
      'alerts',
      'logstores',
      'agents',
      'tokens',
      'settings',
    ]) {
      await c.open(page);
      await c.page.waitForTimeout(250);
      const nameless = await c.page.evaluate(() =>
        [...document.querySelectorAll('button, a, input, select')]
          .filter((each) => {
            const labels = each.labels
              ? [...each.labels].map((label) => label.textContent).join('')
              : '';
            return !(each.getAttribute('aria-label') || each.textContent.trim() || labels.trim());
          })
          .map((each) => each.outerHTML.slice(0, 120)),
      );
      assert.deepEqual(nameless, [], page);
    }
  },
};
