import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesText, compactCount, countText, millisText } from './number';

test('GroupsAndShortensCounts', () => {
  assert.equal(countText(12345678), '12,345,678');
  assert.deepEqual(
    [0, 950, 999, 1000, 1234, 99_960, 999_900, 3_400_000, 7e9].map(compactCount),
    ['0', '950', '999', '1k', '1.2k', '100k', '1M', '3.4M', '7G'],
  );
});

test('WritesBytesAndTimes', () => {
  assert.deepEqual([0, 512, 1536, 30 * 2 ** 30].map(bytesText), ['0 B', '512 B', '1.5 KiB', '30 GiB']);
  assert.deepEqual([0, 0.42, 36.4, 1234, 30000].map(millisText), ['0 ms', '0.4 ms', '36 ms', '1.2 s', '30 s']);
});
