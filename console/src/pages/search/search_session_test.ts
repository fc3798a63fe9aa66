import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { test } from 'node:test';
import { ApiError, type ApiClient, type TailEvents } from '../../api/client';
import type { Row, SearchAnswer } from '../../api/types';
import { lastRange } from '../../model/time_range';
import { kDefaultView, type View } from '../../model/view';
import { SearchSession } from './search_session';

// Browsers have it; Node 18 keeps it in a module.
globalThis.crypto ??= webcrypto as Crypto;

const kStats = {
  blocks: 2,
  blocks_skipped: 1,
  rows_scanned: 9,
  bytes_scanned: 90,
  cpu_ms: 1,
  wall_ms: 1,
};
const kView: View = {
  ...kDefaultView,
  project: 'p',
  logstore: 'l',
  query: 'x',
  range: lastRange(60_000),
};

function answer(offsets: number[], cursor: string | null): SearchAnswer {
  const rows: Row[] = offsets.map((offset) => ({
    time: '2026-11-21T00:00:00Z',
    body: '',
    fields: {},
    resource: {},
    origin: { id: 'o', offset },
  }));
  return { rows, cursor, stats: kStats, partial: null };
}

interface Call {
  id: string;
  query: string;
  cursor: string | null;
  answer: (value: SearchAnswer) => void;
  fail: (error: Error) => void;
}

// A server whose searches are answered by the test, and whose histograms are always there at once.
function fake() {
  const calls: Call[] = [];
  const cancelled: string[] = [];
  const api = {
    now: () => 1e12,
    search: (call: Call) =>
      new Promise((resolve, reject) => calls.push({ ...call, answer: resolve, fail: reject })),
    histogram: async () => ({
      from: 1e18,
      to: 1e18 + 60e9,
      step_ns: 1e9,
      counts: [1, 2],
      total: 3,
      stats: kStats,
      partial: null,
    }),
    cancel: async (id: string) => void cancelled.push(id),
  };
  const session = new SearchSession(api as unknown as ApiClient);
  return { session, calls, cancelled };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('ShowsRowsAndHistogramOfASearch', async () => {
  const { session, calls } = fake();
  session.show(kView);
  assert.ok(session.state.get().searching);
  calls[0]!.answer(answer([3, 2, 1], null));
  await settle();
  const state = session.state.get();
  assert.equal(state.rows.count, 3);
  assert.equal(state.histogram?.total, 3);
  assert.ok(!state.searching && !state.counting && state.cursor === null);
});

test('GoesOnFromTheCursor', async () => {
  const { session, calls } = fake();
  session.show(kView);
  calls[0]!.answer(answer([9, 8], 'c1'));
  await settle();
  void session.more();
  void session.more();
  assert.equal(calls.length, 2);
  assert.equal(calls[1]!.cursor, 'c1');
  calls[1]!.answer(answer([7], null));
  await settle();
  assert.equal(session.state.get().rows.count, 3);
  void session.more();
  assert.equal(calls.length, 2);
});

test('ANewSearchCancelsTheOneBefore', async () => {
  const { session, calls, cancelled } = fake();
  session.show(kView);
  session.show({ ...kView, query: 'y' });
  assert.ok(cancelled.includes(calls[0]!.id));
  calls[0]!.answer(answer([1, 2, 3], null));
  calls[1]!.answer(answer([4], null));
  await settle();
  assert.equal(session.state.get().rows.count, 1);
});

test('StoppingKeepsWhatHasArrived', async () => {
  const { session, calls, cancelled } = fake();
  session.show(kView);
  calls[0]!.answer(answer([9, 8], 'c1'));
  await settle();
  void session.more();
  session.cancel();
  const state = session.state.get();
  assert.ok(state.cancelled && !state.loadingMore);
  assert.equal(state.rows.count, 2);
  assert.deepEqual(cancelled, [calls[1]!.id]);
});

test('SaysWhereAQueryIsWrongAndDropsTheOldRows', async () => {
  const { session, calls } = fake();
  session.show(kView);
  calls[0]!.answer(answer([1], null));
  await settle();
  session.show({ ...kView, query: '(' });
  assert.ok(session.state.get().stale);
  calls[1]!.fail(new ApiError(400, 'invalid_argument', 'expected )', 0));
  await settle();
  const state = session.state.get();
  assert.equal(state.problem?.position, 0);
  assert.equal(state.rows.count, 0);
  assert.ok(!state.searching);
});

// A live run: the test plays the tail.
function live() {
  const played = fake();
  let events: TailEvents | null = null;
  const tail = (_store: unknown, _query: string, given: TailEvents) => {
    events = given;
    return new Promise<void>(() => {});
  };
  Object.assign((played.session as unknown as { api: object }).api, { tail });
  played.session.show({ ...kView, live: true });
  return { ...played, events: () => events! };
}

function offsets(session: SearchSession): number[] {
  return session.state
    .get()
    .rows.all()
    .map(({ row }) => row.origin.offset);
}

test('LiveRowsAndTheOnesBeforeThemAreEachShownOnce', async () => {
  const { session, calls, events } = live();
  events().onOpen();
  await settle();
  // Row 5 came by the tail before the answer, row 4 comes after it; the answer holds both.
  events().onRow(answer([5], null).rows[0]!);
  session.setHeld(true);
  session.setHeld(false);
  calls[0]!.answer(answer([5, 4, 3], null));
  await settle();
  events().onRow(answer([4], null).rows[0]!);
  events().onRow(answer([6], null).rows[0]!);
  session.setHeld(true);
  session.setHeld(false);
  assert.deepEqual(offsets(session).sort(), [3, 4, 5, 6]);
  session.dispose();
});

test('AHeldListStaysHeldWhenTheQueryChanges', () => {
  const { session, events } = live();
  session.setHeld(true);
  session.show({ ...kView, query: 'y', live: true });
  events().onRow(answer([1], null).rows[0]!);
  assert.ok(session.state.get().live?.held);
  assert.equal(session.state.get().rows.count, 0);
  session.dispose();
});

test('WhatWasClearedDoesNotComeBackWithTheRowsBefore', async () => {
  const { session, calls, events } = live();
  events().onOpen();
  await settle();
  session.clear();
  // The server says now is 1e12; these rows are of 2026, so one older than that is needed.
  const old = { ...answer([1], null).rows[0]!, time: '2001-09-09T01:00:00Z' };
  calls[0]!.answer({ ...answer([2], 'c1'), rows: [answer([2], null).rows[0]!, old] });
  await settle();
  assert.deepEqual(offsets(session), [2]);
  assert.equal(session.state.get().cursor, null);
  session.dispose();
});
