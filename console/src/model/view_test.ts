import assert from 'node:assert/strict';
import { test } from 'node:test';
import { absoluteRange, kDefaultRange, lastRange } from './time_range';
import { kHour } from './time';
import { sameView, viewFrom, viewParams, type View } from './view';

const kView: View = {
  project: 'default',
  logstore: 'system',
  query: 'level:error "a & b" #1 日志',
  range: lastRange(kHour),
  live: false,
};

test('AnAddressBringsTheSameViewBack', () => {
  const absolute = absoluteRange(Date.UTC(2026, 10, 21), Date.UTC(2026, 10, 22));
  for (const view of [kView, { ...kView, live: true }, { ...kView, range: absolute }]) {
    const again = viewFrom(new URLSearchParams(viewParams(view).toString()));
    assert.ok(sameView(again, view), viewParams(view).toString());
  }
});

test('AnEmptyOrBrokenAddressGivesTheDefaults', () => {
  assert.deepEqual(viewFrom(new URLSearchParams('')).range, kDefaultRange);
  assert.deepEqual(viewFrom(new URLSearchParams('from=never&to=x')).range, kDefaultRange);
  assert.equal(viewFrom(new URLSearchParams('live=yes')).live, false);
});

test('EveryPartOfAViewCounts', () => {
  const others: Partial<View>[] = [
    { project: 'x' },
    { logstore: 'x' },
    { query: 'x' },
    { live: true },
    { range: kDefaultRange },
  ];
  for (const other of others) assert.ok(!sameView(kView, { ...kView, ...other }));
});
