import assert from 'node:assert/strict';
import { test } from 'node:test';
import { absoluteRange, kDefaultRange, lastRange } from './time_range';
import { kHour } from './time';
import { kDefaultView, sameSearch, sameView, viewFrom, viewParams, type View } from './view';

const kView: View = {
  ...kDefaultView,
  project: 'default',
  logstore: 'system',
  query: 'level:error "a & b" #1 日志',
  range: lastRange(kHour),
};

const kRich: View = {
  ...kView,
  tab: 'patterns',
  chart: 'pie',
  columns: ['k8s.pod.name', 'odd,name', '100%', '%2C'],
  highlight: 'a b',
  compare: 'day',
  context: {
    origin: { id: 'ab12', offset: 7 },
    time: '2026-11-21T00:00:00.000000001Z',
    logstore: 'web',
  },
};

test('AnAddressBringsTheSameViewBack', () => {
  const absolute = absoluteRange(Date.UTC(2026, 10, 21), Date.UTC(2026, 10, 22));
  for (const view of [kView, { ...kView, live: true }, { ...kView, range: absolute }, kRich]) {
    const again = viewFrom(new URLSearchParams(viewParams(view).toString()));
    assert.ok(sameView(again, view), viewParams(view).toString());
    assert.deepEqual(again, view);
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
    { tab: 'patterns' },
    { chart: 'bar' },
    { columns: ['x'] },
    { highlight: 'x' },
    { compare: 'week' },
    { context: kRich.context },
  ];
  for (const other of others) assert.ok(!sameView(kView, { ...kView, ...other }));
});

test('LooksAloneAskTheServerForNothing', () => {
  const looks: Partial<View> = { tab: 'patterns', chart: 'bar', columns: ['x'], highlight: 'x' };
  assert.ok(sameSearch(kView, { ...kView, ...looks }));
  assert.ok(!sameSearch(kView, { ...kView, query: 'x' }));
});

test('UnknownChoicesAreIgnored', () => {
  const view = viewFrom(new URLSearchParams('tab=nonsense&chart=radar&context=a~b'));
  assert.equal(view.context, null);
  assert.equal(view.tab, 'rows');
  assert.equal(view.chart, null);
});
