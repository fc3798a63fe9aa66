// The search language seen from the outside: enough of docs/formats/query.md to colour a query, to
// find the words worth marking in rows, and to add or exclude a value. The server alone decides what
// is valid; nothing here refuses a query.
import { numberText } from '../api/json';
import { statementTokens } from './statement';

export type TokenKind =
  | 'field' // name and colon
  | 'word'
  | 'phrase'
  | 'regex'
  | 'range'
  | 'operator' // comparison or minus
  | 'keyword' // AND OR NOT
  | 'paren'
  | 'pipe' // between the search and the steps behind it
  | 'function'
  | 'number'
  | 'space'
  | 'other';

export interface Token {
  kind: TokenKind;
  start: number;
  end: number;
}

const kPatterns: ReadonlyArray<readonly [TokenKind, RegExp]> = [
  ['space', /\s+/y],
  ['paren', /[()]/y],
  ['phrase', /"(?:[^"\\]|\\.)*"?/y],
  ['operator', />=|<=|[><=]/y],
  ['word', /[A-Za-z0-9_.\-/@*\u0080-\uffff]+/y],
  ['other', /./sy],
];
const kRegex = /\/(?:[^/\\]|\\.)*\//y;
const kRange = /[[{][^\]}]*[\]}]?/y;

function matchEnd(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

function wordToken(text: string, start: number, end: number): Token {
  const word = text.slice(start, end);
  if (text[end] === ':') return { kind: 'field', start, end: end + 1 };
  if (word === 'AND' || word === 'OR' || word === 'NOT') return { kind: 'keyword', start, end };
  return { kind: 'word', start, end };
}

function nextToken(text: string, at: number, afterField: boolean): Token {
  if (text[at] === '/') {
    const end = matchEnd(kRegex, text, at);
    if (end > 0) return { kind: 'regex', start: at, end };
  }
  if (afterField && (text[at] === '[' || text[at] === '{')) {
    return { kind: 'range', start: at, end: matchEnd(kRange, text, at) };
  }
  if (text[at] === '-' && !afterField && /[^\s-]/.test(text[at + 1] ?? ' ')) {
    return { kind: 'operator', start: at, end: at + 1 };
  }
  for (const [kind, pattern] of kPatterns) {
    const end = matchEnd(pattern, text, at);
    if (end < 0) continue;
    return kind === 'word' ? wordToken(text, at, end) : { kind, start: at, end };
  }
  return { kind: 'other', start: at, end: at + 1 };
}

// Tokens without gaps: their texts joined are the query.
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === '|') return [...tokens, ...statementTokens(text, at)];
    const before = tokens[tokens.length - 1];
    const token = nextToken(text, at, before?.kind === 'field');
    tokens.push(token);
    at = token.end;
  }
  return tokens;
}

export interface QueryParts {
  search: string;
  // What stands behind the first `|`; null when there is none.
  statement: string | null;
}

export function splitQuery(text: string): QueryParts {
  const pipe = tokenize(text).find(({ kind }) => kind === 'pipe');
  if (!pipe) return { search: text, statement: null };
  return { search: text.slice(0, pipe.start).trim(), statement: text.slice(pipe.end).trim() };
}

export function joinQuery({ search, statement }: QueryParts): string {
  return statement === null ? search : `${search.trim() || '*'} | ${statement}`;
}

function unquote(phrase: string): string {
  return phrase
    .replace(/^"/, '')
    .replace(/([^\\]|^)"$/, '$1')
    .replace(/\\(["\\])/g, '$1');
}

// Words and phrases a matching row contains, for marking them in the rows shown. Values of fields
// count too; negated ones and those in a negated group do not.
export function wantedWords(text: string): string[] {
  const words = new Set<string>();
  const groupNegated: boolean[] = [];
  let negated = false;
  let comparison = false;
  for (const token of tokenize(text)) {
    const piece = text.slice(token.start, token.end);
    if (token.kind === 'pipe') break;
    if (token.kind === 'space' || token.kind === 'field') continue;
    if (token.kind === 'operator') {
      if (piece === '-') negated = true;
      else comparison = piece !== '=';
      continue;
    }
    if (token.kind === 'keyword') {
      negated = piece === 'NOT' ? !negated : false;
      continue;
    }
    if (token.kind === 'paren') {
      if (piece === '(') groupNegated.push(negated);
      else groupNegated.pop();
      negated = false;
      continue;
    }
    if (!negated && !comparison && !groupNegated.includes(true)) {
      const word = token.kind === 'phrase' ? unquote(piece) : piece.replace(/\*+$/, '');
      const marks = token.kind === 'phrase' || token.kind === 'word';
      if (marks && /[\p{L}\p{N}]/u.test(word) && !word.includes('*')) words.add(word);
    }
    negated = false;
    comparison = false;
  }
  return [...words];
}

export interface Span {
  text: string;
  marked: boolean;
}

// The words as one pattern, longest first; null when there is nothing to mark.
export function wordsPattern(words: readonly string[]): RegExp | null {
  if (words.length === 0) return null;
  const escaped = [...words]
    .sort((a, b) => b.length - a.length)
    .map((word) => word.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&'));
  return new RegExp(escaped.join('|'), 'gi');
}

// Cuts a text into marked and plain spans.
export function markWords(text: string, pattern: RegExp | null): Span[] {
  if (!pattern) return [{ text, marked: false }];
  const spans: Span[] = [];
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > at) spans.push({ text: text.slice(at, match.index), marked: false });
    spans.push({ text: match[0], marked: true });
    at = match.index + match[0].length;
  }
  if (at < text.length || spans.length === 0) spans.push({ text: text.slice(at), marked: false });
  return spans;
}

const kPlainValue = /^[A-Za-z0-9_.@][A-Za-z0-9_.@/-]*$/;

// A value as the language writes it: bare where that is possible.
export function quoteValue(value: string): string {
  if (kPlainValue.test(value) && !/^(AND|OR|NOT)$/.test(value)) return value;
  return `"${value.replace(/[\\"]/g, '\\$&')}"`;
}

// Whether the language can name this field. What it cannot name gets no query actions.
export function canName(field: string): boolean {
  return /^[A-Za-z0-9_.@/\u0080-\uffff][A-Za-z0-9_.@/\u0080-\uffff-]*$/.test(field);
}

// The term that holds for rows whose `field` is exactly `value`; null when there is no such term.
export function exactTerm(field: string, value: unknown): string | null {
  if (!canName(field)) return null;
  if (typeof value === 'string') {
    // Line ends and other control characters cannot stand in a phrase on one line.
    return /[\u0000-\u001f]/.test(value) ? null : `${field}:=${quoteValue(value)}`;
  }
  const text = typeof value === 'boolean' ? String(value) : numberText(value);
  return text === null ? null : `${field}:=${quoteValue(text)}`;
}

export function presenceTerm(field: string): string | null {
  return canName(field) ? `${field}:*` : null;
}

// True when OR stands outside every group, so that a further AND would bind to its last part only.
function hasOpenOr(text: string): boolean {
  let depth = 0;
  for (const token of tokenize(text)) {
    const piece = text.slice(token.start, token.end);
    if (token.kind === 'paren') depth += piece === '(' ? 1 : -1;
    if (token.kind === 'keyword' && piece === 'OR' && depth <= 0) return true;
  }
  return false;
}

// The terms of a query that is a plain AND chain without groups, each with its negation; null for
// any other query.
function plainTerms(text: string): string[] | null {
  const terms: string[] = [];
  let term = '';
  for (const token of tokenize(text)) {
    const piece = text.slice(token.start, token.end);
    const isOr = token.kind === 'keyword' && piece === 'OR';
    if (isOr || token.kind === 'paren' || token.kind === 'other') return null;
    const ends = token.kind === 'space' || (token.kind === 'keyword' && piece === 'AND');
    if (!ends) {
      term += token.kind === 'keyword' ? 'NOT ' : piece;
    } else if (term !== '' && term !== 'NOT ') {
      terms.push(term);
      term = '';
    }
  }
  if (term !== '') terms.push(term);
  return terms;
}

function isEverything(text: string): boolean {
  return text.trim() === '' || text.trim() === '*';
}

// `query` narrowed by `term` (or by its opposite). A term that is there already changes nothing; its
// opposite is replaced. What stands behind a `|` stays.
export function addTerm(query: string, term: string, how: 'include' | 'exclude'): string {
  const { search, statement } = splitQuery(query);
  return joinQuery({ search: narrowed(search, term, how), statement });
}

function narrowed(query: string, term: string, how: 'include' | 'exclude'): string {
  const wanted = how === 'include' ? term : `NOT ${term}`;
  if (isEverything(query)) return wanted;
  const opposites = how === 'include' ? [`NOT ${term}`, `-${term}`] : [term];
  const terms = plainTerms(query);
  if (terms) {
    if (terms.includes(wanted)) return query;
    const kept = terms.filter((each) => !opposites.includes(each));
    if (kept.length < terms.length) return [...kept, wanted].join(' ');
  }
  const base = hasOpenOr(query) ? `(${query.trim()})` : query.trim();
  return `${base} ${wanted}`;
}

// The server counts characters as code points; strings here are UTF-16. Past the end is the end.
export function indexOfCharacter(text: string, position: number): number {
  let index = 0;
  for (let n = 0; n < position && index < text.length; ++n) {
    index += text.codePointAt(index)! > 0xffff ? 2 : 1;
  }
  return index;
}
