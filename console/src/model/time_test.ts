import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockText, dateTimeText, parseRfc3339, rfc3339Text, serverTime, unixNanosText } from './time';

const kTime = Date.UTC(2026, 10, 20, 23, 49, 26);

test('ReadsNanosecondTimes', () => {
  assert.equal(parseRfc3339('2026-11-20T23:49:26.304280852Z'), kTime + 304.280852);
  assert.equal(parseRfc3339('2026-11-21T07:49:26+08:00'), kTime);
  assert.ok(Number.isNaN(parseRfc3339('2026-11-20')) && Number.isNaN(parseRfc3339('nonsense')));
});

test('TakesEveryTimeTheServerMaySend', () => {
  assert.equal(serverTime('2026-11-20T23:49:26Z'), kTime);
  assert.equal(serverTime(kTime * 1e6), kTime);
  assert.equal(serverTime(`${kTime}000000`), kTime);
  assert.ok(Number.isNaN(serverTime(null)) && Number.isNaN(serverTime(undefined)));
});

test('WritesWholeNanosecondsForTheServer', () => {
  assert.equal(unixNanosText(kTime), `${kTime}000000`);
  assert.equal(unixNanosText(kTime + 0.25), `${kTime}250000`);
});

test('WritesTimesForReaders', () => {
  assert.equal(clockText(kTime + 4, 'utc', 'milli'), '23:49:26.004');
  assert.equal(clockText(kTime, 'utc', 'minute'), '23:49');
  assert.equal(dateTimeText(kTime, 'utc'), '2026-11-20 23:49:26');
  assert.equal(dateTimeText(kTime + 30, 'utc'), '2026-11-20 23:49:26.030');
  assert.equal(rfc3339Text(kTime), '2026-11-20T23:49:26Z');
});
