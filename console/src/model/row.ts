// What a row shows before it is unfolded: level, source, one line of text; and its values as a table
// after. Works on whatever fields senders happen to use.
import { numberText, parseExact } from '../api/json';
import type { Json, Row } from '../api/types';
import { hasAnsi, stripAnsi } from './ansi';
import { parseRfc3339 } from './time';

export type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'none';

// A row with everything that drawing it needs, worked out once.
export interface RowView {
  id: number; // unique on this page
  row: Row;
  ms: number;
  level: Level;
  source: string;
  text: string;
  extras: ReadonlyArray<readonly [string, string]>;
}

const kLevelWords: ReadonlyArray<readonly [Level, RegExp]> = [
  ['fatal', /^(f|fatal|panic|crit|critical|emerg|emergency|alert|dpanic)$/i],
  ['error', /^(e|err|error|severe)$/i],
  ['warn', /^(w|warn|warning)$/i],
  ['info', /^(i|info|information|informational|notice|n|log)$/i],
  ['debug', /^(d|debug|dbg|fine|verbose|v)$/i],
  ['trace', /^(t|trace|finest|finer)$/i],
];
export const kLevelFields = [
  'level',
  'severity',
  'lvl',
  'loglevel',
  'log_level',
  'log.level',
  'severity_text',
  'levelname',
  'priority',
];
const kMessageFields = ['message', 'msg', 'log', 'event'];

// A body is looked at this far for a level: the level stands near the front, and rows may be long.
const kLevelSearchChars = 160;
// More text than this is never drawn in a folded row.
const kTextChars = 2000;
const kExtrasMax = 12;

export function levelOfWord(word: string): Level {
  for (const [level, pattern] of kLevelWords) {
    if (pattern.test(word.trim())) return level;
  }
  return 'none';
}

// Numbers as bunyan and pino (10..60) or syslog (0..7) write them.
function levelOfNumber(value: number): Level {
  if (value >= 10) {
    const levels: Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
    return levels[Math.min(6, Math.floor(value / 10)) - 1] ?? 'none';
  }
  if (value <= 2) return 'fatal';
  return (['error', 'warn', 'info', 'info', 'debug'] as const)[value - 3] ?? 'none';
}

const kBodyLevel =
  /(?:\b(?:level|lvl|severity)"?\s*[=:]\s*"?|[\s[<|(]|^)(trace|debug|info|notice|warn|warning|error|err|fatal|panic|critical|crit)(?=[\]\s>:|),"]|$)/i;

function levelOfBody(body: string): Level {
  const head = stripAnsi(body.slice(0, kLevelSearchChars));
  const klog = /^([IWEF])\d{4} \d\d:\d\d/.exec(head);
  if (klog) return levelOfWord(klog[1]!);
  const word = kBodyLevel.exec(head);
  return word ? levelOfWord(word[1]!) : 'none';
}

export function levelOf(row: Row): Level {
  for (const name of kLevelFields) {
    const value = row.fields[name];
    if (typeof value === 'string' && value !== '') {
      const level = /^\d+$/.test(value) ? levelOfNumber(Number(value)) : levelOfWord(value);
      if (level !== 'none') return level;
    }
    if (typeof value === 'number') return levelOfNumber(value);
  }
  return levelOfBody(row.body);
}

function text(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

// Rows that were posted have no origin; theirs is all zeros. They are told from others by everything
// they hold, the rest by the bytes they came from.
export function hasOrigin(row: Row): boolean {
  return !/^0*$/.test(row.origin.id);
}

export function rowKey(row: Row): string {
  const { id, offset } = row.origin;
  if (!hasOrigin(row)) return JSON.stringify([row.time, row.body, row.fields, row.resource]);
  return `${id}:${offset}:${row.time}`;
}

// Where the row comes from, short: pod/container, else the file's name, else the host.
export function sourceOf(row: Row): string {
  const tag = (name: string) => text(row.resource[name]);
  const pod = tag('k8s.pod.name');
  const container = tag('k8s.container.name');
  if (pod) return container && !pod.startsWith(container) ? `${pod}/${container}` : pod;
  const path = tag('log.file.path');
  if (path) return path.split('/').filter(Boolean).pop() ?? path;
  return tag('service.name') || container || tag('host.name');
}

// One line: control characters become spaces but for those of terminal colours, long text is cut.
function oneLine(value: string): string {
  const cut = value.slice(0, kTextChars);
  const controls = hasAnsi(cut)
    ? /[\u0000-\u001a\u001c-\u001f\u007f]+/g
    : /[\u0000-\u001f\u007f]+/g;
  return cut.replace(controls, ' ').trim();
}

// The text of a folded row: the body, or a message field where the body is empty; then the other
// fields as name and value.
function summaryOf(row: Row): Pick<RowView, 'text' | 'extras'> {
  let message = row.body;
  let taken = '';
  if (message === '') {
    taken = kMessageFields.find((name) => typeof row.fields[name] === 'string') ?? '';
    message = taken ? text(row.fields[taken]) : '';
  }
  const extras: Array<readonly [string, string]> = [];
  for (const [name, value] of Object.entries(row.fields)) {
    if (name === taken || kLevelFields.includes(name) || extras.length >= kExtrasMax) continue;
    extras.push([name, oneLine(text(value)).slice(0, 200)]);
  }
  return { text: oneLine(message), extras };
}

let nextId = 1;

export function rowView(row: Row): RowView {
  return {
    id: nextId++,
    row,
    ms: parseRfc3339(row.time),
    level: levelOf(row),
    source: sourceOf(row),
    ...summaryOf(row),
  };
}

export interface Property {
  name: string;
  value: Json;
  // As shown and copied.
  text: string;
}

// Names and values for the unfolded row, in name order; objects are laid out over several lines.
export function properties(values: Record<string, Json>): Property[] {
  return Object.keys(values)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    .map((name) => {
      const value = values[name]!;
      const plain = numberText(value) ?? (typeof value === 'string' ? value : null);
      return { name, value, text: plain ?? JSON.stringify(value, null, 2) };
    });
}

// The body when it is a JSON object or array; null when it is not.
export function bodyJson(body: string): Json | null {
  const trimmed = body.trim();
  if (!/^[{[]/.test(trimmed) || trimmed.length > 200_000) return null;
  try {
    return parseExact(trimmed);
  } catch {
    return null;
  }
}

// The value of a field or tag as one line; empty where the row has none.
export function columnText(row: Row, name: string): string {
  if (name === 'body') return oneLine(row.body);
  return oneLine(text(row.fields[name] ?? row.resource[name]));
}

// Fields that tie the rows of one request together.
export function isRequestId(name: string): boolean {
  return /(?:^|[._-])(?:request|req|trace|correlation|transaction|session|span)[._-]?id$|^(?:x-)?request-id$/i.test(
    name.replace(/([a-z])(Id)$/, '$1_$2'),
  );
}
