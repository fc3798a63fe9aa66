// What may be typed next at the caret of the search box: fields, their values, keywords; behind a `|` the
// steps, functions and columns. Pure; the values come from the server.
import { quoteValue, tokenize } from './query_text';
import { kFunctions, kPipeWords, kSqlWords } from './statement';

export type CompletionKind = 'field' | 'value' | 'keyword' | 'function';

export interface Completion {
  kind: CompletionKind;
  text: string;
  // How many rows, where that is known.
  rows: number | null;
  // What stands in the place of [from, to) of the query.
  insert: string;
}

// What is wanted at the caret; [from, to) is the part that a choice replaces.
export type Wanted =
  | { kind: 'field'; prefix: string; from: number; to: number }
  | { kind: 'value'; field: string; prefix: string; from: number; to: number }
  | { kind: 'statement'; prefix: string; from: number; to: number; fresh: boolean };

const kName = /[A-Za-z0-9_.@\u0080-\uffff][A-Za-z0-9_.@\u0080-\uffff-]*$/;
const kValue =
  /(?:^|[\s(-])([A-Za-z0-9_.@\u0080-\uffff][A-Za-z0-9_.@\u0080-\uffff-]*):(=?)("[^"]*|[^\s"()[\]{}<>=/:]*)$/;

// Null where nothing can be proposed: inside texts, expressions, ranges and comparisons.
export function wantedAt(text: string, caret: number): Wanted | null {
  const head = text.slice(0, caret);
  const pipe = tokenize(text).find(({ kind }) => kind === 'pipe');
  if (pipe && caret > pipe.start) {
    const last = head.slice(pipe.start).replace(/'(?:[^']|'')*'/g, '');
    if (last.includes("'")) return null;
    const prefix = kName.exec(head)?.[0] ?? '';
    const before = head.slice(0, caret - prefix.length).trimEnd();
    return {
      kind: 'statement',
      prefix,
      from: caret - prefix.length,
      to: caret,
      fresh: before.endsWith('|'),
    };
  }
  const value = kValue.exec(head);
  if (value) {
    const typed = value[3]!;
    const prefix = typed.replace(/^"/, '');
    return { kind: 'value', field: value[1]!, prefix, from: caret - typed.length, to: caret };
  }
  const inside = tokenize(text).find(
    ({ kind, start, end }) => start < caret && caret <= end && kind !== 'space',
  );
  if (inside && !['word', 'keyword', 'paren', 'operator'].includes(inside.kind)) return null;
  const prefix = kName.exec(head)?.[0] ?? '';
  const before = head.slice(0, caret - prefix.length);
  if (before !== '' && !/[\s(-]$/.test(before)) return null;
  return { kind: 'field', prefix, from: caret - prefix.length, to: caret };
}

function matching(names: readonly string[], prefix: string): string[] {
  const wanted = prefix.toLowerCase();
  const begins = names.filter((name) => name.toLowerCase().startsWith(wanted));
  // k8s.pod.name is found by `pod` too.
  const holds = names.filter(
    (name) => !begins.includes(name) && name.toLowerCase().includes(wanted),
  );
  return wanted === '' ? [...names] : [...begins, ...holds];
}

function words(list: readonly string[], prefix: string): Completion[] {
  const wanted = prefix.toLowerCase();
  return list
    .filter((word) => word.toLowerCase().startsWith(wanted) && word.toLowerCase() !== wanted)
    .map((word) => ({ kind: 'keyword', text: word, rows: null, insert: `${word} ` }));
}

const kListMax = 12;

export function fieldCompletions(
  wanted: Wanted & { kind: 'field' },
  names: readonly string[],
): Completion[] {
  const fields = matching(names, wanted.prefix)
    .filter((name) => /^[\w.@\u0080-\uffff][\w.@/\u0080-\uffff-]*$/.test(name))
    .map((name): Completion => ({ kind: 'field', text: name, rows: null, insert: `${name}:` }));
  const keywords = wanted.prefix === '' ? [] : words(['AND', 'OR', 'NOT'], wanted.prefix);
  return [...fields.slice(0, kListMax), ...keywords];
}

export function valueCompletions(
  wanted: Wanted & { kind: 'value' },
  values: ReadonlyArray<{ value: string; rows: number }>,
): Completion[] {
  const prefix = wanted.prefix.toLowerCase();
  return values
    .filter(({ value }) => value !== '' && value.toLowerCase().startsWith(prefix))
    .slice(0, kListMax)
    .map(({ value, rows }) => ({
      kind: 'value',
      text: value,
      rows,
      insert: `${quoteValue(value)} `,
    }));
}

export function statementCompletions(
  wanted: Wanted & { kind: 'statement' },
  names: readonly string[],
): Completion[] {
  const { prefix, fresh } = wanted;
  const steps = fresh
    ? words(['SELECT', ...kPipeWords], prefix)
    : words(prefix === '' ? [] : kSqlWords, prefix);
  if (fresh) return steps;
  const low = prefix.toLowerCase();
  const functions = kFunctions
    .filter((each) => prefix !== '' && each.toLowerCase().startsWith(low))
    .map((text): Completion => ({
      kind: 'function',
      text,
      rows: null,
      // The caret goes between the brackets.
      insert: `${text.slice(0, text.indexOf('('))}(`,
    }));
  const columns = matching(['time', 'body', ...names], prefix).map((name): Completion => ({
    kind: 'field',
    text: name,
    rows: null,
    insert: name,
  }));
  return [...functions.slice(0, 6), ...columns.slice(0, kListMax), ...steps.slice(0, 4)];
}

export interface Edit {
  text: string;
  caret: number;
}

export function apply(text: string, wanted: Wanted, choice: Completion): Edit {
  const after = text.slice(wanted.to).replace(/^\s/, choice.insert.endsWith(' ') ? '' : '$&');
  return {
    text: text.slice(0, wanted.from) + choice.insert + after,
    caret: wanted.from + choice.insert.length,
  };
}
