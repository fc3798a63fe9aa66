// Fields, patterns and context for the development server, in the shapes of docs/formats/http-api.md.

const textOf = (value) => (typeof value === 'string' ? value : JSON.stringify(value));

function kindOf(values) {
  if (values.every((value) => typeof value === 'boolean')) return 'boolean';
  if (values.every((value) => typeof value === 'object')) return 'json';
  const numbers = values.filter(
    (value) =>
      value !== '' &&
      !Number.isNaN(Number(value)) &&
      typeof value !== 'boolean' &&
      typeof value !== 'object',
  );
  if (numbers.length === values.length)
    return numbers.every((value) => Number.isInteger(Number(value))) ? 'integer' : 'number';
  return numbers.length * 2 >= values.length ? 'mixed' : 'text';
}

function numbersOf(values) {
  const sorted = values
    .map(Number)
    .filter((n) => !Number.isNaN(n))
    .sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const [min, max] = [sorted[0], sorted[sorted.length - 1]];
  const step = (max - min) / 20 || 1;
  const histogram = Array.from({ length: 20 }, (_, n) => ({
    from: min + n * step,
    to: min + (n + 1) * step,
    rows: 0,
  }));
  for (const value of sorted) ++histogram[Math.min(19, Math.floor((value - min) / step))].rows;
  const mean = sorted.reduce((a, b) => a + b, 0) / sorted.length;
  return {
    count: sorted.length,
    min,
    max,
    mean,
    p50: at(0.5),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    histogram,
  };
}

function fieldStat(name, resource, values, rows, top, prefix = '') {
  const counts = new Map();
  for (const value of values) counts.set(textOf(value), (counts.get(textOf(value)) ?? 0) + 1);
  const kind = values.length ? kindOf(values) : 'text';
  return {
    name,
    resource,
    kind,
    rows: values.length,
    coverage: rows ? values.length / rows : 0,
    distinct: counts.size,
    distinct_exact: counts.size < 5000,
    top: [...counts]
      .filter(([value]) => value.toLowerCase().startsWith(prefix.toLowerCase()))
      .sort((a, b) => b[1] - a[1])
      .slice(0, top)
      .map(([value, n]) => ({ value, rows: n })),
    numbers: ['integer', 'number', 'mixed'].includes(kind) ? numbersOf(values) : null,
  };
}

function columnsOf(rows) {
  const columns = new Map();
  for (const row of rows) {
    for (const [part, resource] of [
      [row.fields, false],
      [row.resource, true],
    ]) {
      for (const [name, value] of Object.entries(part)) {
        if (!columns.has(name)) columns.set(name, { resource, values: [] });
        columns.get(name).values.push(value);
      }
    }
  }
  return columns;
}

export function fields(rows, limit, top) {
  const seen = rows.slice(0, limit);
  const list = [...columnsOf(seen)].map(([name, { resource, values }]) =>
    fieldStat(name, resource, values, seen.length, top),
  );
  list.sort((a, b) => b.rows - a.rows || (a.name < b.name ? -1 : 1));
  return { rows: seen.length, sampled: rows.length > limit, fields: list, fields_left_out: 0 };
}

export function field(rows, name, top, prefix) {
  const { resource, values } = columnsOf(rows).get(name) ?? { resource: false, values: [] };
  return {
    ...fieldStat(name, resource, values, rows.length, top, prefix),
    rows_looked_at: rows.length,
    sampled: false,
  };
}

function templateOf(row) {
  const text = row.body || row.fields.msg || '';
  return text
    .replace(/\b\d+\.\d+\.\d+\.\d+(:\d+)?\b/g, '<ip>')
    .replace(/"[^"]*"/g, '<str>')
    .replace(/\b\d+(\.\d+)?\b/g, '<num>')
    .slice(0, 300);
}

function templates(rows) {
  const found = new Map();
  for (const row of rows) {
    const template = templateOf(row);
    const known = found.get(template) ?? { rows: 0, example: row.body || row.fields.msg || '' };
    ++known.rows;
    found.set(template, known);
  }
  return found;
}

export function patterns(rows, before, limit) {
  const now = templates(rows);
  const then = before && templates(before);
  const list = [...now].map(([template, { rows: n, example }]) => {
    const words = template
      .split(/<\w+>|[^\p{L}\p{N} ]+/u)
      .map((part) => part.trim())
      .sort((a, b) => b.length - a.length)[0];
    const old = then ? (then.get(template)?.rows ?? 0) : null;
    const change = then && old ? n / rows.length / (old / before.length) : null;
    return {
      template,
      rows: n,
      share: n / rows.length,
      before: old,
      change,
      query: words ? `"${words}"` : null,
      example,
    };
  });
  list.sort((a, b) => b.rows - a.rows);
  return {
    rows: rows.length,
    compared: before ? before.length : null,
    others: 0,
    sampled: false,
    patterns: list.slice(0, limit),
  };
}

// `rows` oldest first.
export function context(rows, origin, offset, before, after) {
  const same = rows
    .filter((row) => row.origin.id === origin)
    .sort((a, b) => a.origin.offset - b.origin.offset);
  const at = same.findIndex((row) => row.origin.offset === offset);
  const from = Math.max(0, at - before);
  const to = Math.min(same.length, at + after + 1);
  return {
    rows: at < 0 ? [] : same.slice(from, to),
    at: at < 0 ? null : at - from,
    more_before: from > 0,
    more_after: to < same.length,
  };
}
