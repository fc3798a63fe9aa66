// The answers of the server's HTTP API (docs/formats/http-api.md) as types.
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export interface Row {
  time: string; // RFC 3339 with nanoseconds
  body: string;
  fields: Record<string, Json>;
  resource: Record<string, Json>;
  origin: { id: string; offset: number };
  // Where several logstores were searched.
  logstore?: string;
}

export interface Stats {
  blocks: number;
  blocks_skipped: number;
  rows_scanned: number;
  bytes_scanned: number;
  cpu_ms: number;
  wall_ms: number;
}

export interface SearchAnswer {
  rows: Row[];
  cursor: string | null;
  stats: Stats;
  partial: string | null;
}

export interface HistogramAnswer {
  from: string | number;
  to: string | number;
  step_ns: number;
  counts: number[];
  total: number;
  stats: Stats;
  partial: string | null;
}

export interface SqlColumn {
  name: string;
  type: 'boolean' | 'integer' | 'number' | 'time' | 'text' | 'json';
}

// How the server proposes to draw groups.
export interface SqlChart {
  kind: 'time' | 'category' | 'value';
  x: string | null;
  series: string[]; // columns whose values tell series apart
  values: string[]; // columns of numbers
}

export interface SqlAnswer {
  columns: SqlColumn[];
  rows: Json[][];
  more: boolean;
  chart: SqlChart | null;
  stats: Stats;
  partial: string | null;
}

export interface Project {
  name: string;
  logstores: number;
}

export interface Logstore {
  name: string;
  retention: string | null;
  retention_size: string | null;
  rows: number;
  bytes: number;
  oldest: string | number | null;
  newest: string | number | null;
  raw_bytes?: number;
  compression?: number | null; // raw bytes over stored bytes
  rows_per_second?: number;
  bytes_per_second?: number;
}

export interface Session {
  role: string;
  version: string;
}
