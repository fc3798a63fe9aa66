import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json, Row } from '../api/types';
import { levelTerms } from './level_terms';

function row(fields: Record<string, Json>): Row {
  return {
    time: '2026-11-21T00:00:00Z',
    body: '',
    fields,
    resource: {},
    origin: { id: 'o', offset: 0 },
  };
}

test('AsksByTheFieldThatSaysTheLevel', () => {
  const terms = levelTerms([row({}), row({ severity: 'INFO' })]);
  assert.match(terms!.error, /^\(severity:error OR .*severity:fatal/);
  assert.equal(terms!.warn, '(severity:warn OR severity:warning)');
});

test('KnowsTheNumbersOfPinoAndOfSyslog', () => {
  assert.equal(levelTerms([row({ level: 30 }), row({ level: 50 })])!.error, 'level:>=50');
  assert.deepEqual(levelTerms([row({ priority: '6' })]), {
    error: 'priority:<=3',
    warn: 'priority:=4',
  });
});

test('SaysNothingWhenNoFieldSaysALevel', () => {
  assert.equal(levelTerms([row({ status: 500 })]), null);
  assert.equal(levelTerms([]), null);
});
