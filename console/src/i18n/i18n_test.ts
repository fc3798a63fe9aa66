import assert from 'node:assert/strict';
import { test } from 'node:test';
import { en } from './en';
import { fill, t, tn, useTexts } from './i18n';
import { zh } from './zh';

function placeholders(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).sort();
}

test('BothLanguagesHaveEveryText', () => {
  assert.deepEqual(Object.keys(zh), Object.keys(en));
  for (const [key, text] of Object.entries(zh)) assert.notEqual(text.trim(), '', key);
});

test('BothLanguagesUseTheSamePlaceholders', () => {
  for (const key of Object.keys(en) as Array<keyof typeof en>) {
    assert.deepEqual(placeholders(zh[key]), placeholders(en[key]), key);
  }
});

test('PluralsComeInPairs', () => {
  for (const key of Object.keys(en)) {
    if (key.endsWith('.one')) assert.ok(key.replace(/one$/, 'other') in en, key);
  }
});

test('ChineseUsesChinesePunctuation', () => {
  for (const [key, text] of Object.entries(zh)) {
    assert.doesNotMatch(text, /[\u4e00-\u9fff][,;!?]|[,;!?][\u4e00-\u9fff]/, key);
  }
});

test('FillsPlaceholdersAndChoosesForms', () => {
  useTexts(en);
  assert.equal(fill('{a} and {b} and {c}', { a: 1, b: '{a}' }), '1 and {a} and {c}');
  assert.equal(tn('unit.m', 1), '1 minute');
  assert.equal(tn('unit.m', 15), '15 minutes');
  assert.equal(tn('stats.found', 1200, '1,200'), '1,200 rows');
  useTexts(zh);
  assert.equal(t('range.last', { duration: tn('unit.m', 15) }), '最近 15 分钟');
  useTexts(en);
});
