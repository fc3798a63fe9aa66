// Scales and geometry of the histogram: how many bars to ask for, where ticks and bars stand, which
// bars a drag covers. Pure arithmetic; pages/search/histogram_view.tsx draws it.
import {
  clockText,
  dateText,
  kDay,
  kHour,
  kMinute,
  kSecond,
  zoneOffsetMinutes,
  type Zone,
} from './time';
import type { Window } from './time_range';

export interface Histogram {
  from: number; // milliseconds
  to: number;
  step: number;
  counts: number[];
  total: number;
  // How many rows of each bar are errors and warnings, where that is known.
  levels?: { error: readonly number[]; warn: readonly number[] };
}

// Steps that divide days, hours, minutes and seconds evenly, so that bars and ticks fall on round times.
const kSteps: readonly number[] = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  kSecond,
  2 * kSecond,
  5 * kSecond,
  10 * kSecond,
  15 * kSecond,
  30 * kSecond,
  kMinute,
  2 * kMinute,
  5 * kMinute,
  10 * kMinute,
  15 * kMinute,
  30 * kMinute,
  kHour,
  2 * kHour,
  3 * kHour,
  6 * kHour,
  12 * kHour,
  kDay,
  2 * kDay,
  7 * kDay,
  14 * kDay,
  30 * kDay,
  90 * kDay,
  365 * kDay,
];

// The server's own limit on `buckets`.
export const kBucketsMax = 1000;
// Narrower bars than this cannot be hit with a pointer.
const kBarPixelsMin = 7;

// The smallest round step that gives at most `count` steps over `span`.
export function niceStep(span: number, count: number): number {
  for (const step of kSteps) {
    if (span / step <= count) return step;
  }
  const years = 365 * kDay;
  return Math.ceil(span / count / years) * years;
}

// How many buckets to ask the server for, so that bars are round steps and wide enough.
export function bucketsFor(window: Window, widthPixels: number): number {
  const span = Math.max(window.to - window.from, 1);
  const fit = Math.max(12, Math.min(160, Math.floor(widthPixels / kBarPixelsMin)));
  const buckets = Math.ceil(span / niceStep(span, fit));
  return Math.max(1, Math.min(kBucketsMax, buckets));
}

// The start and end of bar `index`; the last bar ends with the range.
export function barWindow(histogram: Histogram, index: number): Window {
  const from = histogram.from + index * histogram.step;
  return { from, to: Math.min(from + histogram.step, histogram.to) };
}

// The bar below a position given as a fraction of the width; -1 when there is none.
export function barAt(histogram: Histogram, fraction: number): number {
  if (histogram.counts.length === 0) return -1;
  const time = histogram.from + fraction * (histogram.to - histogram.from);
  const index = Math.floor((time - histogram.from) / histogram.step);
  return Math.max(0, Math.min(histogram.counts.length - 1, index));
}

// The range from the start of the first to the end of the last bar that a drag between two positions
// (fractions of the width, in either order) touches.
export function dragWindow(histogram: Histogram, a: number, b: number): Window {
  const first = barAt(histogram, Math.min(a, b));
  const last = barAt(histogram, Math.max(a, b));
  return { from: barWindow(histogram, first).from, to: barWindow(histogram, last).to };
}

// A round number at or above `value` whose half is round too, as the top of the count axis.
export function niceMax(value: number): number {
  if (value <= 2) return 2;
  const power = 10 ** Math.floor(Math.log10(value));
  for (const factor of [1, 2, 4, 5, 6, 8, 10]) {
    const top = factor * power;
    if (top >= value && (top / 2) % 1 === 0) return top;
  }
  return 10 * power;
}

export interface Tick {
  time: number;
  text: string;
  // The first tick of a day carries the date.
  strong: boolean;
}

function tickText(time: number, step: number, zone: Zone): { text: string; strong: boolean } {
  const midnight = (time + zoneOffsetMinutes(time, zone) * kMinute) % kDay === 0;
  if (step >= kDay || midnight) return { text: dateText(time, zone).slice(5), strong: true };
  const finest = step >= kMinute ? 'minute' : step >= kSecond ? 'second' : 'milli';
  return { text: clockText(time, zone, finest), strong: false };
}

// Ticks at round times of the reader's zone, at most about `count`.
export function timeTicks(window: Window, count: number, zone: Zone): Tick[] {
  const span = window.to - window.from;
  if (!(span > 0) || count < 1) return [];
  const step = niceStep(span, count);
  const shift = zoneOffsetMinutes(window.from, zone) * kMinute;
  const ticks: Tick[] = [];
  let time = Math.ceil((window.from + shift) / step) * step - shift;
  for (; time < window.to && ticks.length <= count + 1; time += step) {
    ticks.push({ time, ...tickText(time, step, zone) });
  }
  return ticks;
}
