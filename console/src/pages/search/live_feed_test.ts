import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError, type TailEvents } from '../../api/client';
import type { Row } from '../../api/types';
import { LiveFeed, type LiveState } from './live_feed';

function row(n: number): Row {
  return { time: '', body: `${n}`, fields: {}, resource: {}, origin: { id: 'o', offset: n } };
}

// A feed over a tail that the test plays by hand.
function play(outcome?: Error) {
  const seen = { rows: [] as string[], opened: 0, refused: null as ApiError | null };
  let state: LiveState | null = null;
  let events: TailEvents | null = null;
  const feed = new LiveFeed(
    (given) => {
      events = given;
      return outcome ? Promise.reject(outcome) : new Promise(() => {});
    },
    {
      onState: (next) => (state = next),
      onRows: (rows) => seen.rows.push(...rows.map(({ body }) => body)),
      onOpen: () => ++seen.opened,
      onRefused: (error) => (seen.refused = error),
    },
  );
  feed.start();
  return { feed, seen, state: () => state!, events: () => events! };
}

test('ShowsRowsNewestFirst', () => {
  const { feed, seen, state, events } = play();
  events().onOpen();
  for (let n = 1; n <= 3; ++n) events().onRow(row(n));
  feed.flush();
  assert.deepEqual(seen.rows, ['3', '2', '1']);
  assert.equal(seen.opened, 1);
  assert.equal(state().received, 3);
  assert.ok(state().rate > 0);
  feed.stop();
});

test('HoldsRowsWhileTheReaderReads', () => {
  const { feed, seen, state, events } = play();
  feed.setHeld(true);
  events().onRow(row(1));
  feed.flush();
  assert.deepEqual(seen.rows, []);
  assert.equal(state().pending, 1);
  feed.setHeld(false);
  assert.deepEqual(seen.rows, ['1']);
  assert.equal(state().pending, 0);
  feed.stop();
});

test('CountsEveryRowItDoesNotShow', () => {
  const { feed, seen, state, events } = play();
  feed.setHeld(true);
  events().onDropped(7);
  for (let n = 0; n < 5000; ++n) events().onRow(row(n));
  feed.setHeld(false);
  assert.equal(seen.rows.length + state().dropped, 5007);
  assert.equal(seen.rows[0], '4999');
  feed.stop();
});

test('GivesUpWhenTheQueryIsRefused', async () => {
  const { seen } = play(new ApiError(400, 'invalid_argument', 'bad', 3));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(seen.refused?.position, 3);
});

test('SaysNothingAfterItIsStopped', () => {
  const { feed, seen, events } = play();
  feed.stop();
  events().onOpen();
  assert.equal(seen.opened, 0);
});
