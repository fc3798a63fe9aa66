import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prefsFrom } from './prefs';

test('StartsFromTheBrowsersLanguage', () => {
  assert.equal(prefsFrom(null, ['zh-CN', 'en']).language, 'zh');
  assert.equal(prefsFrom(null, ['de']).language, 'en');
  assert.equal(prefsFrom('{"language":"en"}', ['zh']).language, 'en');
});

test('IgnoresWhatDoesNotFit', () => {
  const defaults = prefsFrom(null, []);
  assert.deepEqual(prefsFrom('not json', []), defaults);
  assert.deepEqual(prefsFrom('null', []), defaults);
  assert.deepEqual(prefsFrom('{"theme":"neon","wrap":"yes","zone":4,"project":{}}', []), defaults);
  assert.equal(prefsFrom('{"theme":"dark"}', []).theme, 'dark');
});
