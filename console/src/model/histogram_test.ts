import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  barAt,
  barWindow,
  bucketsFor,
  dragWindow,
  kBucketsMax,
  niceMax,
  niceStep,
  timeTicks,
  type Histogram,
} from './histogram';
import { kDay, kHour, kMinute, kSecond } from './time';

const kStart = Date.UTC(2026, 10, 21, 12, 0, 0);
const kTen: Histogram = {
  from: kStart,
  to: kStart + 10 * kMinute,
  step: kMinute,
  counts: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  total: 45,
};

test('AsksForBarsOfARoundLength', () => {
  const step = (span: number, width: number) => span / bucketsFor({ from: 0, to: span }, width);
  assert.equal(step(15 * kMinute, 1200), 10 * kSecond);
  assert.equal(step(kHour, 1200), 30 * kSecond);
  assert.equal(step(kDay, 1200), 10 * kMinute);
  assert.equal(step(7 * kDay, 1200), 2 * kHour);
  assert.equal(step(kHour, 340), 2 * kMinute);
});

test('NeverAsksForMoreBarsThanTheServerGives', () => {
  for (const span of [0, 1, 999, kHour, 400 * kDay, 90 * 365 * kDay]) {
    const buckets = bucketsFor({ from: 0, to: span }, 100_000);
    assert.ok(buckets >= 1 && buckets <= kBucketsMax, `${span}: ${buckets}`);
  }
  assert.ok(niceStep(90 * 365 * kDay, 10) >= 9 * 365 * kDay);
});

test('FindsTheBarBelowAPointer', () => {
  assert.equal(barAt(kTen, 0), 0);
  assert.equal(barAt(kTen, 0.95), 9);
  assert.equal(barAt(kTen, 1), 9);
  assert.equal(barAt({ ...kTen, counts: [] }, 0.5), -1);
});

test('ADragCoversWholeBarsInBothDirections', () => {
  const expected = { from: kStart + 2 * kMinute, to: kStart + 6 * kMinute };
  assert.deepEqual(dragWindow(kTen, 0.21, 0.59), expected);
  assert.deepEqual(dragWindow(kTen, 0.59, 0.21), expected);
});

test('TheLastBarEndsWithTheRange', () => {
  const uneven = { ...kTen, to: kStart + 9.5 * kMinute };
  assert.equal(barWindow(uneven, 9).to, uneven.to);
});

test('TheCountAxisEndsOnARoundNumber', () => {
  assert.deepEqual([0, 1, 2, 3, 7, 95, 101, 1234].map(niceMax), [2, 2, 2, 4, 8, 100, 200, 2000]);
});

test('TicksStandOnRoundTimes', () => {
  const texts = timeTicks({ from: kStart, to: kStart + kHour }, 6, 'utc').map(({ text }) => text);
  assert.deepEqual(texts, ['12:00', '12:10', '12:20', '12:30', '12:40', '12:50']);
  const fine = timeTicks({ from: kStart, to: kStart + 4000 }, 4, 'utc').map(({ text }) => text);
  assert.deepEqual(fine, ['12:00:00', '12:00:01', '12:00:02', '12:00:03']);
});

test('MidnightCarriesTheDate', () => {
  const ticks = timeTicks({ from: kStart, to: kStart + kDay }, 4, 'utc');
  const strong = ticks.filter((tick) => tick.strong).map(({ text }) => text);
  assert.deepEqual(strong, ['11-22']);
  assert.deepEqual(timeTicks({ from: 5, to: 5 }, 4, 'utc'), []);
});
