// A small reading of statements (docs/guides/sql.md) for the development server: `stats`, `top`, `timechart`,
// `limit`, `sort`, and SELECT with columns, count(*), avg/min/max/sum, GROUP BY and LIMIT. The real one is
// src/sql.

export class StatementError extends Error {
  constructor(message, at) {
    super(message);
    this.at = at; // within the statement
  }
}

const kSpans = { s: 1e3, m: 6e4, h: 36e5, d: 864e5 };

function valueOf(row, name) {
  if (name === 'time') return row.time;
  if (name === 'body') return row.body;
  const all = { ...row.resource, ...row.fields };
  const key = name in all ? name : Object.keys(all).find((each) => each.endsWith(`.${name}`));
  return key === undefined ? null : all[key];
}

const clean = (name) => name.trim().replace(/^"(.*)"$/, '$1');

const kFolds = {
  count: (values) => values.length,
  avg: (values) => (values.length ? values.reduce((a, b) => a + b, 0) / values.length : null),
  sum: (values) => values.reduce((a, b) => a + b, 0),
  min: (values) => (values.length ? Math.min(...values) : null),
  max: (values) => (values.length ? Math.max(...values) : null),
  p95: (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? null,
  dc: (values) => new Set(values).size,
};

function aggregate(text) {
  const match = /^(\w+)\(([^)]*)\)(?:\s+as\s+(\w+))?$/i.exec(text.trim());
  if (!match) return null;
  const fold = kFolds[match[1].toLowerCase()];
  if (!fold) throw new StatementError(`there is no function ${match[1]}`, 0);
  const field = clean(match[2]);
  const plain = field === '' || field === '*';
  return {
    name: match[3] ?? (plain ? match[1].toLowerCase() : `${match[1].toLowerCase()}_${field}`),
    type: ['count', 'dc'].includes(match[1].toLowerCase()) ? 'integer' : 'number',
    of: (rows) => {
      const values = plain
        ? rows
        : rows.map((row) => valueOf(row, field)).filter((value) => value !== null);
      return fold(
        plain || match[1] === 'dc' ? values : values.map(Number).filter((n) => !Number.isNaN(n)),
      );
    },
  };
}

const split = (text) =>
  text
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter(Boolean);

function group(rows, keys, aggregates) {
  const groups = new Map();
  for (const row of rows) {
    const values = keys.map(({ of }) => of(row));
    const id = JSON.stringify(values);
    if (!groups.has(id)) groups.set(id, { values, rows: [] });
    groups.get(id).rows.push(row);
  }
  if (keys.length === 0 && groups.size === 0) groups.set('', { values: [], rows: [] });
  return {
    columns: [...keys, ...aggregates].map(({ name, type }) => ({ name, type })),
    rows: [...groups.values()].map((each) => [
      ...each.values,
      ...aggregates.map(({ of }) => of(each.rows)),
    ]),
  };
}

const keyOf = (name) => ({
  name: clean(name),
  type: clean(name) === 'time' ? 'time' : 'text',
  of: (row) => {
    const value = valueOf(row, clean(name));
    return value === null || typeof value === 'string' ? value : JSON.stringify(value);
  },
});

function chartOf(keys, aggregates) {
  const values = aggregates.map(({ name }) => name);
  if (values.length === 0) return null;
  if (keys.length === 0) return { kind: 'value', x: null, series: [], values };
  const time = keys.find(({ type }) => type === 'time');
  const x = time ?? keys[0];
  const series = keys.filter((key) => key !== x).map(({ name }) => name);
  return { kind: time ? 'time' : 'category', x: x.name, series, values };
}

function grouped(rows, keys, aggregates) {
  return { ...group(rows, keys, aggregates), chart: chartOf(keys, aggregates) };
}

function firstStep(rows, text) {
  const step = text.trim().replace(/\s+/g, ' ');
  const stats = /^stats\s+(.*?)(?:\s+by\s+(.*))?$/i.exec(step);
  if (stats) return grouped(rows, split(stats[2] ?? '').map(keyOf), split(stats[1]).map(aggregate));
  const top = /^top\s+(\d+)?\s*(.*)$/i.exec(step);
  if (top) {
    const answer = grouped(rows, split(top[2]).map(keyOf), [aggregate('count()')]);
    answer.rows.sort((a, b) => b[b.length - 1] - a[a.length - 1]);
    answer.rows.length = Math.min(answer.rows.length, Number(top[1] ?? 10));
    return answer;
  }
  const chart = /^timechart\s+(\d+)([smhd])\s*(.*?)(?:\s*by\s+(.*))?$/i.exec(step);
  if (chart) {
    const span = Number(chart[1]) * kSpans[chart[2]];
    const time = {
      name: 'time',
      type: 'time',
      of: (row) => new Date(Math.floor(Date.parse(row.time) / span) * span).toISOString(),
    };
    const answer = grouped(
      rows,
      [time, ...split(chart[4] ?? '').map(keyOf)],
      split(chart[3] || 'count()').map(aggregate),
    );
    answer.rows.sort((a, b) => (a[0] < b[0] ? -1 : 1));
    return answer;
  }
  const select =
    /^select\s+(.*?)(?:\s+from\s+log)?(?:\s+group\s+by\s+(.*?))?(?:\s+order\s+by\s+(.*?))?(?:\s+limit\s+(\d+))?$/i.exec(
      step,
    );
  if (!select) throw new StatementError('expected SELECT, stats, top or timechart', 0);
  const parts = split(select[1]);
  const aggregates = parts.map(aggregate).filter(Boolean);
  const keys = parts.filter((part) => !aggregate(part)).map(keyOf);
  const answer =
    aggregates.length > 0
      ? grouped(rows, keys, aggregates)
      : {
          columns: keys.map(({ name, type }) => ({ name, type })),
          rows: rows.map((row) => keys.map(({ of }) => of(row))),
          chart: null,
        };
  if (select[3]) answer.rows.sort((a, b) => (a[a.length - 1] < b[b.length - 1] ? 1 : -1));
  if (select[4]) answer.rows.length = Math.min(answer.rows.length, Number(select[4]));
  return answer;
}

// Columns, rows and chart of a statement over rows, newest first; throws StatementError.
export function runStatement(text, rows) {
  const [first, ...rest] = text.split('|');
  const answer = firstStep(rows, first);
  for (const step of rest) {
    const sort = /^\s*sort\s+"?([\w.]+)"?(\s+desc)?\s*$/i.exec(step);
    const limit = /^\s*limit\s+(\d+)\s*$/i.exec(step);
    if (limit) answer.rows.length = Math.min(answer.rows.length, Number(limit[1]));
    else if (sort) {
      const at = answer.columns.findIndex(({ name }) => name === sort[1]);
      answer.rows.sort((a, b) => (sort[2] ? -1 : 1) * (a[at] < b[at] ? -1 : a[at] > b[at] ? 1 : 0));
    } else throw new StatementError(`there is no step "${step.trim()}"`, text.indexOf(step));
  }
  return answer;
}
