import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvText } from './csv';

test('QuotesOnlyWhatNeedsIt', () => {
  const rows = [
    ['a', 'b c'],
    ['1,5', 'say "x"'],
    ['two\nlines', ''],
  ];
  assert.equal(csvText(rows), 'a,b c\r\n"1,5","say ""x"""\r\n"two\nlines",\r\n');
});
