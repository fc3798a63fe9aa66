// The range a search looks at: two bounds, each absolute or relative to now.
//
//   { from: -15m, to: now }        moves with the clock each time the search runs
//   { from: 2026-11-21T13:00:00Z, to: 2026-11-21T14:00:00Z }
import {
  dateText,
  dateTimeText,
  kDay,
  kHour,
  kMinute,
  kSecond,
  parseRfc3339,
  rfc3339Text,
  type Zone,
} from './time';

export type Bound = { kind: 'ago'; ms: number } | { kind: 'at'; ms: number };

export interface TimeRange {
  from: Bound;
  to: Bound;
}

// A range as it was when a search ran: from inclusive, to exclusive, milliseconds.
export interface Window {
  from: number;
  to: number;
}

export type Unit = 's' | 'm' | 'h' | 'd' | 'w';

const kUnits: ReadonlyArray<readonly [Unit, number]> = [
  ['w', 7 * kDay],
  ['d', kDay],
  ['h', kHour],
  ['m', kMinute],
  ['s', kSecond],
];

export const kPresets: readonly number[] = [
  5 * kMinute,
  15 * kMinute,
  kHour,
  6 * kHour,
  kDay,
  2 * kDay,
  7 * kDay,
  30 * kDay,
];

export const kNow: Bound = { kind: 'ago', ms: 0 };

export function lastRange(ms: number): TimeRange {
  return { from: { kind: 'ago', ms }, to: kNow };
}

export function absoluteRange(from: number, to: number): TimeRange {
  return { from: { kind: 'at', ms: from }, to: { kind: 'at', ms: to } };
}

export const kDefaultRange: TimeRange = lastRange(15 * kMinute);

// The largest unit that divides the duration: 90 minutes are 90m, 7 days are 7d (weeks only on request).
export function durationParts(ms: number): { count: number; unit: Unit } {
  for (const [unit, size] of kUnits) {
    if (unit !== 'w' && ms >= size && ms % size === 0) return { count: ms / size, unit };
  }
  return { count: Math.round(ms / kSecond), unit: 's' };
}

export function durationText(ms: number): string {
  const { count, unit } = durationParts(ms);
  return `${count}${unit}`;
}

// 1h30m -> milliseconds; NaN when the text is no duration.
export function parseDuration(text: string): number {
  const pattern = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/y;
  let total = 0;
  let at = 0;
  while (at < text.length) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (!match) return NaN;
    const size = match[2] === 'ms' ? 1 : kUnits.find(([unit]) => unit === match[2])![1];
    total += Number(match[1]) * size;
    at = pattern.lastIndex;
  }
  return at > 0 ? total : NaN;
}

function parseUnixTime(text: string): number {
  const value = Number(text);
  // The same reading as the server's: the number of digits tells the unit.
  const digits = text.replace(/[-.].*$/, '').length;
  if (digits <= 11) return value * 1000;
  if (digits <= 14) return value;
  return digits <= 17 ? value / 1e3 : value / 1e6;
}

function fromLocalParts(parts: readonly number[], zone: Zone): number {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, milli = 0] = parts;
  const valid =
    month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour < 24 && minute < 60 && second < 61;
  if (!valid) return NaN;
  return zone === 'utc'
    ? Date.UTC(year, month - 1, day, hour, minute, second, milli)
    : new Date(year, month - 1, day, hour, minute, second, milli).getTime();
}

function milliOf(fraction: string | undefined): number {
  return fraction ? Math.floor(Number(`0.${fraction}`) * 1000) : 0;
}

// Reads what people type or paste: now, -15m, 15m ago, 13:05, 2026-11-21, 2026-11-21 13:05:07.123,
// RFC 3339, Unix seconds to nanoseconds. Null when it is none of these. A clock time is today's in
// `zone`.
export function parseBound(raw: string, zone: Zone, nowMs: number): Bound | null {
  const text = raw.trim();
  if (/^now$/i.test(text)) return kNow;
  const ago = /^(?:now)?\s*-\s*(\S+)$/i.exec(text) ?? /^(\S+)\s+ago$/i.exec(text);
  if (ago) {
    const ms = parseDuration(ago[1]!.toLowerCase());
    return Number.isNaN(ms) ? null : { kind: 'ago', ms };
  }
  if (/^\d{9,19}(\.\d+)?$/.test(text)) return { kind: 'at', ms: parseUnixTime(text) };
  const exact = parseRfc3339(text);
  if (!Number.isNaN(exact)) return { kind: 'at', ms: exact };
  const day = /^(\d{4})[-/](\d\d?)[-/](\d\d?)(?:[T ]+(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?$/.exec(
    text,
  );
  if (day) {
    const parts = day.slice(1, 7).map((part) => Number(part ?? 0));
    const ms = fromLocalParts([...parts, milliOf(day[7])], zone);
    return Number.isNaN(ms) ? null : { kind: 'at', ms };
  }
  const clock = /^(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?$/.exec(text);
  if (!clock) return null;
  const today = dateText(nowMs, zone).split('-').map(Number);
  const time = [Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0), milliOf(clock[4])];
  const ms = fromLocalParts([...today, ...time], zone);
  return Number.isNaN(ms) ? null : { kind: 'at', ms };
}

// How a bound stands in the address: `now`, `-15m` or RFC 3339 in UTC.
export function boundText(bound: Bound): string {
  if (bound.kind === 'at') return rfc3339Text(bound.ms);
  return bound.ms === 0 ? 'now' : `-${durationText(bound.ms)}`;
}

// How a bound stands in an input box, in the reader's zone.
export function boundInputText(bound: Bound, zone: Zone): string {
  return bound.kind === 'ago' ? boundText(bound) : dateTimeText(bound.ms, zone);
}

function resolveBound(bound: Bound, nowMs: number): number {
  return bound.kind === 'at' ? bound.ms : nowMs - bound.ms;
}

export function resolveRange(range: TimeRange, nowMs: number): Window {
  return { from: resolveBound(range.from, nowMs), to: resolveBound(range.to, nowMs) };
}

export function isRelative(range: TimeRange): boolean {
  return range.from.kind === 'ago' && range.to.kind === 'ago' && range.to.ms === 0;
}

export function sameRange(a: TimeRange, b: TimeRange): boolean {
  return boundText(a.from) === boundText(b.from) && boundText(a.to) === boundText(b.to);
}

// The same span, moved by half of it.
export function shiftWindow(window: Window, direction: -1 | 1): Window {
  const step = ((window.to - window.from) / 2) * direction;
  return { from: Math.round(window.from + step), to: Math.round(window.to + step) };
}

// Twice the span around the same middle, but not past `nowMs`.
export function widenWindow(window: Window, nowMs: number): Window {
  const span = window.to - window.from;
  const to = Math.min(window.to + span / 2, Math.max(nowMs, window.to));
  return { from: Math.round(to - 2 * span), to: Math.round(to) };
}

// A span as people say it: 2d 3h, 15m, 250ms. At most two units.
export function spanText(ms: number): string {
  if (ms < kSecond) return `${Math.round(ms * 1000) / 1000}ms`;
  const words: string[] = [];
  let rest = ms < kMinute ? ms : Math.round(ms / kSecond) * kSecond;
  for (const [unit, size] of kUnits) {
    if (unit === 'w' || words.length === 2) continue;
    if (unit === 's' && rest > 0 && words.length < 2) {
      words.push(`${Math.round(rest) / 1000}s`);
      break;
    }
    const count = Math.floor(rest / size);
    if (count > 0) words.push(`${count}${unit}`);
    else if (words.length > 0) break;
    rest -= count * size;
  }
  return words.join(' ');
}

// "14:00:00 – 15:00:00" with one date on one day, both dates otherwise. Milliseconds only where the
// span is short enough for them to matter.
export function windowText(window: Window, zone: Zone): string {
  const grain = window.to - window.from < 5 * kSecond ? 1 : kSecond;
  const from = dateTimeText(Math.floor(window.from / grain) * grain, zone);
  const to = dateTimeText(Math.floor(window.to / grain) * grain, zone);
  const sameDay = from.slice(0, 10) === to.slice(0, 10);
  return `${from} – ${sameDay ? to.slice(11) : to}`;
}

