import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from './json';

test('ReadsPlainAnswers', () => {
  assert.deepEqual(parseJson('{"a":[1,2.5,null,true],"b":"x"}'), { a: [1, 2.5, null, true], b: 'x' });
});

test('NeverTurnsALargeNumberIntoAnother', () => {
  const large = (parseJson('{"id":9007199254740993}') as { id: unknown }).id;
  // Runtimes without source access round; those with it keep the digits.
  assert.ok(large === '9007199254740993' || large === 9007199254740992);
  assert.deepEqual(parseJson('{"text":"id: 9007199254740993, x"}'), { text: 'id: 9007199254740993, x' });
});
