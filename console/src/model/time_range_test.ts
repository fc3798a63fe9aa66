import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kDay, kHour, kMinute } from './time';
import {
  absoluteRange,
  boundText,
  durationText,
  isRelative,
  lastRange,
  parseBound,
  parseDuration,
  resolveRange,
  sameRange,
  shiftWindow,
  spanText,
  widenWindow,
  windowText,
} from './time_range';

const kNow = Date.UTC(2026, 10, 21, 13, 5, 7);

function at(text: string): number {
  const bound = parseBound(text, 'utc', kNow);
  assert.ok(bound?.kind === 'at', text);
  return bound.ms;
}

test('ReadsRelativeBounds', () => {
  assert.deepEqual(parseBound('now', 'utc', kNow), { kind: 'ago', ms: 0 });
  assert.deepEqual(parseBound('-15m', 'utc', kNow), { kind: 'ago', ms: 15 * kMinute });
  assert.deepEqual(parseBound('now-1h30m', 'utc', kNow), { kind: 'ago', ms: 90 * kMinute });
  assert.deepEqual(parseBound('2d ago', 'utc', kNow), { kind: 'ago', ms: 2 * kDay });
});

test('ReadsTimesAsPeoplePasteThem', () => {
  assert.equal(at('2026-11-21T13:05:07Z'), kNow);
  assert.equal(at('2026-11-21T21:05:07.250+08:00'), kNow + 250);
  assert.equal(at('2026-11-21T13:05:07.123456789Z'), kNow + 123.456789);
  assert.equal(at('2026-11-21 13:05:07'), kNow);
  assert.equal(at('2026/11/21 13:05'), kNow - 7000);
  assert.equal(at('2026-11-21'), Date.UTC(2026, 10, 21));
  assert.equal(at('13:05:07.5'), kNow + 500);
  assert.equal(at('1795266307'), 1795266307000);
  assert.equal(at('1795266307000'), 1795266307000);
  assert.equal(at('1795266307000000'), 1795266307000);
  assert.equal(at('1795266307000000000'), 1795266307000);
});

test('RefusesWhatIsNoTime', () => {
  for (const text of ['', 'yesterday', '-5', '-m', '25:00', '2026-13-01', '2026-11-21 13', '12']) {
    assert.equal(parseBound(text, 'utc', kNow), null, text);
  }
});

test('WritesBoundsThatReadBackTheSame', () => {
  for (const text of ['now', '-15m', '-1h', '-7d', '-90s', '2026-11-21T13:05:07Z', '2026-11-21T13:05:07.250Z']) {
    assert.equal(boundText(parseBound(text, 'utc', kNow)!), text);
  }
});

test('DurationsUseTheLargestUnitThatFits', () => {
  assert.equal(durationText(90 * kMinute), '90m');
  assert.equal(durationText(24 * kHour), '1d');
  assert.equal(durationText(7 * kDay), '7d');
  assert.equal(parseDuration('1h30m'), 90 * kMinute);
  assert.ok(Number.isNaN(parseDuration('1x')) && Number.isNaN(parseDuration('')));
});

test('ARelativeRangeMovesWithTheClock', () => {
  const range = lastRange(kHour);
  assert.ok(isRelative(range) && !isRelative(absoluteRange(1, 2)));
  assert.deepEqual(resolveRange(range, kNow), { from: kNow - kHour, to: kNow });
  assert.ok(sameRange(range, lastRange(60 * kMinute)) && !sameRange(range, lastRange(kDay)));
});

test('ShiftsByHalfAndWidensToTwice', () => {
  const window = { from: kNow - kHour, to: kNow };
  assert.deepEqual(shiftWindow(window, -1), { from: kNow - 1.5 * kHour, to: kNow - 0.5 * kHour });
  assert.deepEqual(widenWindow(window, kNow), { from: kNow - 2 * kHour, to: kNow });
  assert.deepEqual(widenWindow(window, kNow + kDay), { from: kNow - 1.5 * kHour, to: kNow + 0.5 * kHour });
});

test('SaysSpansInAtMostTwoUnits', () => {
  assert.equal(spanText(15 * kMinute), '15m');
  assert.equal(spanText(26 * kHour + kMinute), '1d 2h');
  assert.equal(spanText(90_500), '1m 31s');
  assert.equal(spanText(2500), '2.5s');
  assert.equal(spanText(250), '250ms');
  assert.equal(spanText(0.25), '0.25ms');
});

test('SaysTheDateOfAWindowOnce', () => {
  assert.equal(
    windowText({ from: kNow, to: kNow + kMinute }, 'utc'),
    '2026-11-21 13:05:07 – 13:06:07',
  );
  assert.equal(
    windowText({ from: kNow, to: kNow + kDay + 1 }, 'utc'),
    '2026-11-21 13:05:07 – 2026-11-22 13:05:07',
  );
  assert.match(windowText({ from: kNow, to: kNow + 250 }, 'utc'), /13:05:07\.250$/);
});
