// Calls about many rows at once: fields, patterns; and about few: the neighbours of one row.
import { storePath, type ApiClient, type SearchCall, type StoreName } from './client';
import type { Row } from './types';

export interface FieldNumbers {
  min: number;
  max: number;
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  histogram: Array<{ from: number; to: number; rows: number }>;
}

export interface FieldStat {
  name: string;
  resource: boolean; // it is a tag
  rows: number;
  coverage: number; // 0 to 1
  kind: 'text' | 'integer' | 'number' | 'boolean' | 'json' | 'mixed';
  distinct: number;
  distinct_exact: boolean;
  top: Array<{ value: string; rows: number }>;
  numbers: FieldNumbers | null;
}

export interface FieldsAnswer {
  rows: number;
  sampled: boolean; // older rows were not looked at
  fields: FieldStat[];
  fields_left_out: number;
  partial: string | null;
}

export interface Pattern {
  template: string;
  rows: number;
  share: number;
  example: string | null;
  query: string | null; // a search that finds its rows
  before: number | null;
  change: number | null;
}

export interface PatternsAnswer {
  rows: number;
  compared: number | null;
  others: number; // rows in none of the patterns
  sampled: boolean;
  patterns: Pattern[];
  partial: string | null;
}

export interface ContextAnswer {
  rows: Row[]; // oldest first
  at: number | null;
  more_before: boolean;
  more_after: boolean;
}

type Call = Omit<SearchCall, 'id'> & { id?: string };

function params({ query, from, to, id }: Call): Record<string, string> {
  return { q: query, from, ...(to ? { to } : {}), ...(id ? { id } : {}) };
}

export function fieldsOf(
  api: ApiClient,
  call: Call & { rows: number },
  signal: AbortSignal,
): Promise<FieldsAnswer> {
  return api.call('GET', `${storePath(call)}/fields`, {
    params: { ...params(call), rows: String(call.rows) },
    signal,
  });
}

// One field with more of its values; those that begin with `prefix`.
export function fieldOf(
  api: ApiClient,
  call: Call & { name: string; top: number; prefix: string },
  signal: AbortSignal,
): Promise<FieldStat> {
  const asked = {
    ...params(call),
    top: String(call.top),
    ...(call.prefix ? { prefix: call.prefix } : {}),
  };
  return api.call('GET', `${storePath(call)}/fields/${encodeURIComponent(call.name)}`, {
    params: asked,
    signal,
  });
}

export function patternsOf(
  api: ApiClient,
  call: Call & { limit: number; compare: { from: string; to: string } | null },
  signal: AbortSignal,
): Promise<PatternsAnswer> {
  const compare: Record<string, string> = call.compare
    ? { compare_from: call.compare.from, compare_to: call.compare.to }
    : {};
  return api.call('GET', `${storePath(call)}/patterns`, {
    params: { ...params(call), limit: String(call.limit), ...compare },
    signal,
  });
}

export function contextOf(
  api: ApiClient,
  store: StoreName,
  row: { origin: Row['origin']; time: string },
  around: { before: number; after: number },
  signal: AbortSignal,
): Promise<ContextAnswer> {
  const asked = {
    origin: row.origin.id,
    offset: String(row.origin.offset),
    time: row.time,
    before: String(around.before),
    after: String(around.after),
  };
  return api.exact('GET', `${storePath(store)}/context`, { params: asked, signal });
}
