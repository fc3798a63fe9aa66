// Points in time and how they are written. A point is a number of milliseconds since the epoch with a
// fraction: exact to better than a microsecond, which is finer than any bar or tick on the page.
// Row times keep their nanoseconds in the text they came in.
export type Zone = 'local' | 'utc';

export const kSecond = 1000;
export const kMinute = 60 * kSecond;
export const kHour = 60 * kMinute;
export const kDay = 24 * kHour;

interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  milli: number;
}

function pad(value: number, width = 2): string {
  return String(value).padStart(width, '0');
}

function partsOf(ms: number, zone: Zone): Parts {
  const date = new Date(Math.floor(ms));
  if (zone === 'utc') {
    return {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
      milli: date.getUTCMilliseconds(),
    };
  }
  return {
    year: date.getFullYear(),
    month: date.getMonth() + 1,
    day: date.getDate(),
    hour: date.getHours(),
    minute: date.getMinutes(),
    second: date.getSeconds(),
    milli: date.getMilliseconds(),
  };
}

export function dateText(ms: number, zone: Zone): string {
  const p = partsOf(ms, zone);
  return `${pad(p.year, 4)}-${pad(p.month)}-${pad(p.day)}`;
}

// `finest` is the smallest unit shown: 13:04, 13:04:59 or 13:04:59.123.
export function clockText(ms: number, zone: Zone, finest: 'minute' | 'second' | 'milli'): string {
  const p = partsOf(ms, zone);
  const minute = `${pad(p.hour)}:${pad(p.minute)}`;
  if (finest === 'minute') return minute;
  const second = `${minute}:${pad(p.second)}`;
  return finest === 'second' ? second : `${second}.${pad(p.milli, 3)}`;
}

// 2026-11-21 13:04:59, with milliseconds only when there are some.
export function dateTimeText(ms: number, zone: Zone): string {
  const finest = Math.floor(ms) % kSecond === 0 ? 'second' : 'milli';
  return `${dateText(ms, zone)} ${clockText(ms, zone, finest)}`;
}

// Minutes east of UTC.
export function zoneOffsetMinutes(ms: number, zone: Zone): number {
  return zone === 'utc' ? 0 : -new Date(ms).getTimezoneOffset();
}

// "UTC" or "UTC+08:00".
export function zoneText(ms: number, zone: Zone): string {
  const minutes = zoneOffsetMinutes(ms, zone);
  if (minutes === 0) return 'UTC';
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? '−' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

// Milliseconds of an RFC 3339 time with any number of fractional digits; NaN when it is none.
export function parseRfc3339(text: string): number {
  const match =
    /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?([Zz]|[+-]\d\d:?\d\d)$/.exec(text);
  if (!match) return NaN;
  const zone = /^z$/i.test(match[4]!) ? 'Z' : match[4]!.replace(/^(...)(\d\d)$/, '$1:$2');
  const seconds = Date.parse(`${match[1]}T${match[2]}${zone}`);
  return seconds + Number(`0.${match[3] ?? '0'}`) * 1000;
}

// For the server: whole nanoseconds as decimal text.
export function unixNanosText(ms: number): string {
  const micros = Math.round(ms * 1000);
  return `${BigInt(micros) * 1000n}`;
}

export function rfc3339Text(ms: number): string {
  return new Date(Math.floor(ms)).toISOString().replace('.000Z', 'Z');
}

// A time in an answer of the server: RFC 3339, or nanoseconds as number or text. NaN when it is none.
export function serverTime(value: unknown): number {
  if (typeof value === 'number') return value / 1e6;
  if (typeof value !== 'string') return NaN;
  if (/^-?\d+$/.test(value)) return Number(value) / 1e6;
  return parseRfc3339(value);
}
