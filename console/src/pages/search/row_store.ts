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

const kChunkRows = 100;

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

  // Adds rows that are newer than all others, newest first, leaving out those that are there.
  prepend(rows: readonly Row[]): RowStore {
    const known = this.keys(4 * kChunkRows);
    const fresh = rows.filter((row) => !known.has(rowKey(row))).map(rowView);
    if (fresh.length === 0) return this;
    const first = this.chunks[0];
    const grown =
      first && first.rows.length + fresh.length <= kChunkRows
        ? [{ id: first.id, rows: [...fresh, ...first.rows] }, ...this.chunks.slice(1)]
        : [...chunksOf(fresh), ...this.chunks];
    return new RowStore(grown, this.count + fresh.length);
  }

  // Puts rows of any age where their time belongs, leaving out those that are there.
  merge(rows: readonly Row[]): RowStore {
    const known = this.keys(Infinity);
    const fresh = rows.filter((row) => !known.has(rowKey(row))).map(rowView);
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

  private keys(newest: number): Set<string> {
    const keys = new Set<string>();
    for (const chunk of this.chunks) {
      for (const view of chunk.rows) {
        if (keys.size >= newest) return keys;
        keys.add(rowKey(view.row));
      }
    }
    return keys;
  }
}
