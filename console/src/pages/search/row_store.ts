// The rows on the page: newest first, in chunks, so that adding rows redraws only the chunk they are
// added to.
//
// Threads: immutable; each change gives another store that shares the untouched chunks.
// Limits:  callers cut with `cut`; kChunkRows is a redraw's size.
// Tests:   row_store_test.ts
import type { Row } from '../../api/types';
import { rowKey, rowView, type RowView } from '../../model/row';

export interface Chunk {
  id: number;
  rows: readonly RowView[];
}

// About one screen: what is drawn before the first rows can be seen.
const kChunkRows = 50;

let nextChunk = 1;

function chunksOf(rows: readonly RowView[]): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 0; at < rows.length; at += kChunkRows) {
    chunks.push({ id: nextChunk++, rows: rows.slice(at, at + kChunkRows) });
  }
  return chunks;
}

export class RowStore {
  static readonly empty = new RowStore([], 0);

  private constructor(
    readonly chunks: readonly Chunk[],
    readonly count: number,
  ) {}

  static of(rows: readonly Row[]): RowStore {
    return new RowStore(chunksOf(rows.map(rowView)), rows.length);
  }

  // Adds older rows at the end.
  append(rows: readonly Row[]): RowStore {
    const added = chunksOf(rows.map(rowView));
    return new RowStore([...this.chunks, ...added], this.count + rows.length);
  }

  // Adds rows that are newer than all others, newest first.
  prepend(rows: readonly Row[]): RowStore {
    const fresh = rows.map(rowView);
    if (fresh.length === 0) return this;
    const first = this.chunks[0];
    const grown =
      first && first.rows.length + fresh.length <= kChunkRows
        ? [{ id: first.id, rows: [...fresh, ...first.rows] }, ...this.chunks.slice(1)]
        : [...chunksOf(fresh), ...this.chunks];
    return new RowStore(grown, this.count + fresh.length);
  }

  // Puts rows of any age where their time belongs.
  merge(rows: readonly Row[]): RowStore {
    const fresh = rows.map(rowView);
    if (fresh.length === 0) return this;
    const all = [...this.all(), ...fresh].sort((a, b) => b.ms - a.ms);
    return new RowStore(chunksOf(all), all.length);
  }

  // Keeps the newest rows, in whole chunks, so that at least `limit` remain.
  cut(limit: number): RowStore {
    let kept = 0;
    const chunks: Chunk[] = [];
    for (const chunk of this.chunks) {
      if (kept >= limit) break;
      chunks.push(chunk);
      kept += chunk.rows.length;
    }
    return chunks.length === this.chunks.length ? this : new RowStore(chunks, kept);
  }

  all(): RowView[] {
    return this.chunks.flatMap((chunk) => chunk.rows);
  }
}

// Rows counted by what tells them apart, to take away from others: identical rows are as many as they
// are, and each takes away one.
export class RowBag {
  private readonly counts = new Map<string, number>();

  constructor(rows: Iterable<Row>) {
    for (const row of rows) {
      const key = rowKey(row);
      this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    }
  }

  // The rows that are not in the bag; those that are leave it.
  without(rows: readonly Row[]): Row[] {
    if (this.counts.size === 0) return [...rows];
    return rows.filter((row) => {
      const key = rowKey(row);
      const count = this.counts.get(key) ?? 0;
      if (count === 0) return true;
      if (count === 1) this.counts.delete(key);
      else this.counts.set(key, count - 1);
      return false;
    });
  }
}
