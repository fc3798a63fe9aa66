// What a panel asks the server for: a statement as it is; a plain search as rows, as a count, or as a
// histogram, by how the panel is drawn.
import type { ApiClient } from '../../api/client';
import type { Panel } from '../../api/library';
import type { SqlAnswer } from '../../api/types';
import { rowView } from '../../model/row';
import { splitQuery } from '../../model/query_text';
import { rfc3339Text, serverTime, unixNanosText } from '../../model/time';
import type { Window } from '../../model/time_range';

const kRowsShown = 50;
const kPointsShown = 60;
const kTableRows = 1000;

export async function askPanel(
  api: ApiClient,
  project: string,
  panel: Panel,
  window: Window,
  id: string,
  signal: AbortSignal,
): Promise<SqlAnswer> {
  const call = {
    project,
    logstore: panel.logstores.join(','),
    query: panel.q,
    from: unixNanosText(window.from),
    to: unixNanosText(window.to),
    id,
  };
  if (splitQuery(panel.q).statement !== null)
    return api.sql({ ...call, limit: kTableRows }, signal);
  if (panel.chart === 'table') {
    const { rows, cursor, stats, partial } = await api.search(
      { ...call, limit: kRowsShown, cursor: null },
      signal,
    );
    return {
      columns: [
        { name: 'time', type: 'time' },
        { name: 'level', type: 'text' },
        { name: 'text', type: 'text' },
      ],
      rows: rows.map((row) => {
        const { level, text, extras } = rowView(row);
        const rest = text === '' ? extras.map(([name, value]) => `${name}=${value}`).join(' ') : '';
        return [row.time, level === 'none' ? '' : level, text || rest];
      }),
      more: cursor !== null,
      chart: null,
      stats,
      partial,
    };
  }
  const buckets = panel.chart === 'value' || panel.chart === 'pie' ? 1 : kPointsShown;
  const { from, step_ns, counts, total, stats, partial } = await api.histogram(
    { ...call, buckets },
    signal,
  );
  const count = { name: 'count', type: 'integer' } as const;
  if (buckets === 1) {
    return { columns: [count], rows: [[total]], more: false, chart: null, stats, partial };
  }
  return {
    columns: [{ name: 'time', type: 'time' }, count],
    rows: counts.map((rows, at) => [rfc3339Text(serverTime(from) + (at * step_ns) / 1e6), rows]),
    more: false,
    chart: { kind: 'time', x: 'time', series: [], values: ['count'] },
    stats,
    partial,
  };
}
