import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Row } from '../../api/types';
import { RowBag, RowStore } from './row_store';

// Rows of seconds first..last, newest first.
function rows(first: number, last: number): Row[] {
  const made: Row[] = [];
  for (let n = last; n >= first; --n) {
    const time = new Date(Date.UTC(2026, 10, 21) + n * 1000).toISOString();
    made.push({ time, body: `${n}`, fields: {}, resource: {}, origin: { id: 'o', offset: n } });
  }
  return made;
}

function bodies(store: RowStore): number[] {
  return store.all().map(({ row }) => Number(row.body));
}

function isDescending(numbers: number[]): boolean {
  return numbers.every((n, index) => index === 0 || numbers[index - 1]! > n);
}

test('KeepsRowsInOrderInChunks', () => {
  const store = RowStore.of(rows(1, 250)).append(rows(-99, 0));
  assert.equal(store.count, 350);
  assert.ok(isDescending(bodies(store)));
  assert.ok(store.chunks.every((chunk) => chunk.rows.length <= 100));
});

test('ANewRowTouchesOnlyTheFirstChunk', () => {
  const before = RowStore.of(rows(1, 250)).prepend(rows(251, 255));
  const after = before.prepend(rows(256, 260));
  assert.equal(after.count, 260);
  assert.deepEqual(after.chunks.slice(1), before.chunks.slice(1));
  assert.equal(after.chunks[0]!.id, before.chunks[0]!.id);
  assert.ok(isDescending(bodies(after)));
});

test('PutsRowsWhereTheirTimeBelongs', () => {
  const merged = RowStore.of(rows(1, 10)).merge([...rows(11, 15), ...rows(-5, 0)]);
  assert.deepEqual(bodies(merged), bodies(RowStore.of(rows(-5, 15))));
});

test('TakesAwayEachRowOnce', () => {
  const bag = new RowBag(rows(3, 5));
  assert.deepEqual(
    bag.without(rows(1, 4)).map(({ body }) => body),
    ['2', '1'],
  );
  assert.deepEqual(
    bag.without(rows(4, 5)).map(({ body }) => body),
    ['4'],
  );
});

test('IdenticalRowsWithoutOriginAreAsManyAsTheyAre', () => {
  const posted: Row = { ...rows(1, 1)[0]!, origin: { id: '0'.repeat(32), offset: 0 } };
  const other = { ...posted, body: 'other' };
  const bag = new RowBag([posted, posted]);
  assert.deepEqual(bag.without([posted, other, posted, posted]), [other, posted]);
});

test('CutsOldRowsInWholeChunks', () => {
  const store = RowStore.of(rows(1, 450));
  const cut = store.cut(260);
  assert.equal(cut.count, 300);
  assert.deepEqual(bodies(cut), bodies(store).slice(0, 300));
  assert.equal(store.cut(1000), store);
});
