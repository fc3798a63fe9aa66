// What the search page shows, and how the address says it. Two people with the same address see the
// same search.
import { boundText, kDefaultRange, kNow, parseBound, sameRange, type TimeRange } from './time_range';

export interface View {
  project: string;
  logstore: string;
  query: string;
  range: TimeRange;
  live: boolean;
}

export function viewFrom(params: URLSearchParams): View {
  const from = parseBound(params.get('from') ?? '', 'utc', 0);
  const to = parseBound(params.get('to') ?? 'now', 'utc', 0);
  return {
    project: params.get('project') ?? '',
    logstore: params.get('logstore') ?? '',
    query: params.get('q') ?? '',
    range: from ? { from, to: to ?? kNow } : kDefaultRange,
    live: params.get('live') === '1',
  };
}

export function viewParams(view: View): URLSearchParams {
  const params = new URLSearchParams();
  if (view.project) params.set('project', view.project);
  if (view.logstore) params.set('logstore', view.logstore);
  if (view.query) params.set('q', view.query);
  params.set('from', boundText(view.range.from));
  const to = boundText(view.range.to);
  if (to !== 'now') params.set('to', to);
  if (view.live) params.set('live', '1');
  return params;
}

export function sameView(a: View, b: View): boolean {
  return (
    a.project === b.project &&
    a.logstore === b.logstore &&
    a.query === b.query &&
    a.live === b.live &&
    sameRange(a.range, b.range)
  );
}
