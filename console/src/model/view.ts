// What the search page shows, and how the address says it. Two people with the same address see the
// same search.
import {
  boundText,
  kDefaultRange,
  kNow,
  parseBound,
  sameRange,
  type TimeRange,
} from './time_range';

export const kChartKinds = ['table', 'line', 'bar', 'pie', 'value'] as const;
export type ChartKind = (typeof kChartKinds)[number];
export type Tab = 'rows' | 'patterns';
// What patterns are compared with.
export const kCompares = ['none', 'before', 'day', 'week'] as const;
export type Compare = (typeof kCompares)[number];

// A row whose neighbours are shown.
export interface Place {
  origin: { id: string; offset: number };
  time: string;
  logstore: string;
}

export interface View {
  project: string;
  // One name, or several with commas between them.
  logstore: string;
  query: string;
  range: TimeRange;
  live: boolean;
  tab: Tab;
  // How the result of a statement is drawn; null: as the server proposes.
  chart: ChartKind | null;
  // Fields that rows show as columns of their own.
  columns: readonly string[];
  // Marked in rows beside the words of the query.
  highlight: string;
  compare: Compare;
  context: Place | null;
}

export const kDefaultView: View = {
  project: '',
  logstore: '',
  query: '',
  range: kDefaultRange,
  live: false,
  tab: 'rows',
  chart: null,
  columns: [],
  highlight: '',
  compare: 'none',
  context: null,
};

export function oneOf<T extends string>(text: string | null, allowed: readonly T[]): T | null {
  return allowed.includes(text as T) ? (text as T) : null;
}

export function rangeFrom(params: URLSearchParams, fallback: TimeRange = kDefaultRange): TimeRange {
  const from = parseBound(params.get('from') ?? '', 'utc', 0);
  const to = parseBound(params.get('to') ?? 'now', 'utc', 0);
  return from ? { from, to: to ?? kNow } : fallback;
}

export function putRange(params: URLSearchParams, range: TimeRange): void {
  params.set('from', boundText(range.from));
  const to = boundText(range.to);
  if (to !== 'now') params.set('to', to);
}

// Field names may hold any character, commas too.
function columnsFrom(text: string | null): string[] {
  if (!text) return [];
  return text.split(',').map((name) => name.replace(/%2C/g, ',').replace(/%25/g, '%'));
}

function columnsText(columns: readonly string[]): string {
  return columns.map((name) => name.replace(/%/g, '%25').replace(/,/g, '%2C')).join(',');
}

// ORIGIN~OFFSET~TIME~LOGSTORE; null when it is not that.
function placeFrom(text: string | null): Place | null {
  const match = /^([0-9a-f]{1,64})~(\d{1,19})~([\w.:+-]+)~([^~]+)$/.exec(text ?? '');
  if (!match) return null;
  const origin = { id: match[1]!, offset: Number(match[2]) };
  return { origin, time: match[3]!, logstore: match[4]! };
}

function placeText({ origin, time, logstore }: Place): string {
  return [origin.id, origin.offset, time, logstore].join('~');
}

export function viewFrom(params: URLSearchParams): View {
  return {
    project: params.get('project') ?? '',
    logstore: params.get('logstore') ?? '',
    query: params.get('q') ?? '',
    range: rangeFrom(params),
    live: params.get('live') === '1',
    tab: oneOf(params.get('tab'), ['rows', 'patterns'] as const) ?? 'rows',
    chart: oneOf(params.get('chart'), kChartKinds),
    columns: columnsFrom(params.get('columns')),
    highlight: params.get('mark') ?? '',
    compare: oneOf(params.get('compare'), kCompares) ?? 'none',
    context: placeFrom(params.get('context')),
  };
}

export function viewParams(view: View): URLSearchParams {
  const params = new URLSearchParams();
  if (view.project) params.set('project', view.project);
  if (view.logstore) params.set('logstore', view.logstore);
  if (view.query) params.set('q', view.query);
  putRange(params, view.range);
  if (view.live) params.set('live', '1');
  if (view.tab !== 'rows') params.set('tab', view.tab);
  if (view.chart) params.set('chart', view.chart);
  if (view.columns.length > 0) params.set('columns', columnsText(view.columns));
  if (view.highlight) params.set('mark', view.highlight);
  if (view.compare !== 'none') params.set('compare', view.compare);
  if (view.context) params.set('context', placeText(view.context));
  return params;
}

// Whether both ask the server for the same.
export function sameSearch(a: View, b: View): boolean {
  return (
    a.project === b.project &&
    a.logstore === b.logstore &&
    a.query === b.query &&
    a.live === b.live &&
    sameRange(a.range, b.range)
  );
}

export function sameView(a: View, b: View): boolean {
  return viewParams(a).toString() === viewParams(b).toString();
}
