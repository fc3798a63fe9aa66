// The result of a statement as something to draw: points on one axis, a line or bar for each series.
// Pure; pages/search/analysis draws it.
import { numberText } from '../api/json';
import type { Json, SqlAnswer, SqlChart, SqlColumn } from '../api/types';
import { serverTime } from './time';
import type { ChartKind } from './view';

export interface Series {
  name: string;
  values: Array<number | null>; // one for each x
}

export interface Plot {
  kind: 'time' | 'category';
  xs: Array<number | string>; // milliseconds or names
  series: Series[];
  // What was left out to keep the drawing readable.
  seriesLeftOut: number;
  xsLeftOut: number;
}

// More lines than this cannot be told apart, more bars not be read.
export const kSeriesMax = 10;
export const kCategoriesMax = 40;

export function cellText(value: Json): string {
  if (value === null) return '';
  return numberText(value) ?? (typeof value === 'string' ? value : JSON.stringify(value));
}

function isNumeric({ type }: SqlColumn): boolean {
  return type === 'integer' || type === 'number';
}

// The server's proposal, or what the types of the columns suggest; null when nothing can be drawn.
export function axesOf(answer: SqlAnswer): SqlChart | null {
  const { chart, columns } = answer;
  if (chart && chart.values.length > 0) return chart;
  const values = columns.filter(isNumeric).map(({ name }) => name);
  if (values.length === 0) return null;
  const others = columns.filter((column) => !isNumeric(column));
  const time = others.find(({ type }) => type === 'time');
  const x = time ?? others[0];
  if (!x) return { kind: 'value', x: null, series: [], values };
  const series = others.filter((column) => column !== x).map(({ name }) => name);
  return { kind: time ? 'time' : 'category', x: x.name, series, values };
}

function toNumber(value: Json | undefined): number | null {
  if (value === null || value === undefined || value === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

function total(series: Series): number {
  return series.values.reduce((sum: number, value) => sum + Math.abs(value ?? 0), 0);
}

// Null when there is no number to draw.
export function plotOf(answer: SqlAnswer): Plot | null {
  const axes = axesOf(answer);
  if (!axes || answer.rows.length === 0) return null;
  const at = new Map(answer.columns.map(({ name }, index) => [name, index]));
  const isTime = axes.kind === 'time';
  const xColumn = axes.x === null ? undefined : at.get(axes.x);
  const xs = new Map<number | string, number>();
  const cells: Array<{ x: number | string; series: string; value: number | null }> = [];
  for (const row of answer.rows) {
    const raw = xColumn === undefined ? '' : row[xColumn]!;
    const x = isTime ? serverTime(raw) : cellText(raw);
    if (Number.isNaN(x)) continue;
    if (!xs.has(x)) xs.set(x, xs.size);
    const group = axes.series.map((name) => cellText(row[at.get(name)!] ?? null)).join(' · ');
    for (const name of axes.values) {
      const series =
        axes.series.length === 0 ? name : axes.values.length > 1 ? `${group} · ${name}` : group;
      cells.push({ x, series, value: toNumber(row[at.get(name)!]) });
    }
  }
  const order = [...xs.keys()];
  if (isTime) order.sort((a, b) => Number(a) - Number(b));
  return fillPlot(isTime, order, cells);
}

function fillPlot(
  isTime: boolean,
  order: Array<number | string>,
  cells: ReadonlyArray<{ x: number | string; series: string; value: number | null }>,
): Plot {
  const shown = isTime ? order : order.slice(0, kCategoriesMax);
  const index = new Map(shown.map((x, at) => [x, at]));
  const bySeries = new Map<string, Series>();
  for (const { x, series: name, value } of cells) {
    let series = bySeries.get(name);
    if (!series) bySeries.set(name, (series = { name, values: shown.map(() => null) }));
    const position = index.get(x);
    if (position !== undefined && value !== null) series.values[position] = value;
  }
  const all = [...bySeries.values()].filter(({ values }) => values.some((value) => value !== null));
  const kept =
    all.length <= kSeriesMax
      ? all
      : [...all].sort((a, b) => total(b) - total(a)).slice(0, kSeriesMax);
  return {
    kind: isTime ? 'time' : 'category',
    xs: shown,
    series: kept,
    seriesLeftOut: all.length - kept.length,
    xsLeftOut: order.length - shown.length,
  };
}

// How a result is drawn unless the reader chose otherwise.
export function proposedKind(answer: SqlAnswer): ChartKind {
  const { chart, rows, columns } = answer;
  if (chart?.kind === 'time') return 'line';
  if (rows.length === 1 && columns.length <= 3 && columns.every(isNumeric)) return 'value';
  return 'table';
}

export interface Slice {
  name: string;
  value: number;
  share: number;
}

const kSlicesMax = 8;

// The parts of a whole: one for each x, or for each series when there are several; the small ones as `other`.
export function slicesOf(plot: Plot, other: string): Slice[] {
  const sum = (values: ReadonlyArray<number | null>) =>
    values.reduce((all: number, value) => all + Math.max(0, value ?? 0), 0);
  const parts =
    plot.series.length > 1
      ? plot.series.map(({ name, values }) => ({ name, value: sum(values) }))
      : plot.xs.map((x, at) => ({
          name: String(x),
          value: Math.max(0, plot.series[0]?.values[at] ?? 0),
        }));
  const sorted = parts.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value);
  const whole = sorted.reduce((all, { value }) => all + value, 0);
  const large = sorted.slice(0, sorted.length > kSlicesMax ? kSlicesMax - 1 : kSlicesMax);
  const rest = sorted.slice(large.length).reduce((all, { value }) => all + value, 0);
  if (rest > 0) large.push({ name: other, value: rest });
  return large.map((part) => ({ ...part, share: part.value / whole }));
}

// Round numbers from at or below `low` to at or above `high`, about `count` of them.
export function valueTicks(low: number, high: number, count: number): number[] {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = [1, 2, 2.5, 5, 10]
    .map((factor) => factor * power)
    .find((each) => span / each <= count)!;
  const ticks: number[] = [];
  for (let n = Math.floor(low / step); n <= Math.ceil(high / step - 1e-9); ++n) {
    ticks.push(Number((n * step).toPrecision(12)));
  }
  return ticks;
}

// A number as short as a chart needs it: 1,234 · 12.5k · 0.034.
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e4 || size === 0) {
    const units = ['', 'k', 'M', 'G', 'T'];
    const step = size === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(size) / 3));
    return `${Number((value / 1000 ** step).toPrecision(3))}${units[step]}`;
  }
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
