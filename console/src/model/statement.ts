// What stands behind the `|` of a query, seen from the outside: SQL or pipes, coloured and completed. The
// server alone decides what is valid (docs/guides/sql.md).
import type { Token, TokenKind } from './query_text';

export const kSqlWords: readonly string[] = [
  'SELECT',
  'FROM',
  'WHERE',
  'GROUP',
  'BY',
  'HAVING',
  'ORDER',
  'LIMIT',
  'OFFSET',
  'AS',
  'AND',
  'OR',
  'NOT',
  'IN',
  'IS',
  'NULL',
  'LIKE',
  'ILIKE',
  'BETWEEN',
  'CASE',
  'WHEN',
  'THEN',
  'ELSE',
  'END',
  'DISTINCT',
  'DESC',
  'ASC',
  'OVER',
  'PARTITION',
  'WITH',
  'UNION',
  'ALL',
  'QUALIFY',
  'CAST',
  'TRY_CAST',
  'EXCLUDE',
  'FILTER',
];

export const kPipeWords: readonly string[] = [
  'stats',
  'top',
  'timechart',
  'where',
  'extend',
  'fields',
  'parse',
  'sort',
  'limit',
  'distinct',
];

// Functions that people reach for, with what they are given.
export const kFunctions: readonly string[] = [
  'count()',
  'avg(x)',
  'sum(x)',
  'min(x)',
  'max(x)',
  'median(x)',
  'p50(x)',
  'p90(x)',
  'p95(x)',
  'p99(x)',
  'dc(x)',
  'values(x)',
  'count_if(c)',
  'approx_distinct(x)',
  'approx_percentile(x, 0.95)',
  'max_by(x, y)',
  'min_by(x, y)',
  "date_trunc('minute', time)",
  "date_diff('second', a, b)",
  "date_format(time, '%H:%i')",
  'regexp_like(s, r)',
  'regexp_extract(s, r, 1)',
  "json_extract_scalar(j, '$.a')",
  "split_part(s, '/', 1)",
  'lower(s)',
  'upper(s)',
  'length(s)',
  'coalesce(a, b)',
  'round(x, 2)',
  'url_extract_host(u)',
  'ip_prefix(a, 3)',
  "array_join(l, ',')",
];

const kPatterns: ReadonlyArray<readonly [TokenKind | 'name', RegExp]> = [
  ['space', /\s+/y],
  ['phrase', /'(?:[^']|'')*'?/y],
  ['field', /"(?:[^"]|"")*"?/y],
  ['other', /--[^\n]*/y],
  ['number', /\d+(?:\.\d+)?[smhd]?\b/y],
  ['name', /[A-Za-z_\u0080-\uffff][A-Za-z0-9_.\u0080-\uffff]*/y],
  ['paren', /[()]/y],
  ['pipe', /\|(?!\|)/y],
  ['operator', /[<>=!]+|\|\||[-+*/%]/y],
  ['other', /./sy],
];

const kKeywords = new Set([...kSqlWords, ...kPipeWords.map((word) => word.toUpperCase())]);

function nameKind(text: string, start: number, end: number): TokenKind {
  if (kKeywords.has(text.slice(start, end).toUpperCase())) return 'keyword';
  return text[end] === '(' ? 'function' : 'word';
}

// Tokens without gaps of `text` from `start` on.
export function statementTokens(text: string, start: number): Token[] {
  const tokens: Token[] = [];
  let at = start;
  while (at < text.length) {
    for (const [kind, pattern] of kPatterns) {
      pattern.lastIndex = at;
      if (!pattern.test(text)) continue;
      const end = pattern.lastIndex;
      const shown = kind === 'name' ? nameKind(text, at, end) : kind;
      tokens.push({ kind: shown, start: at, end });
      at = end;
      break;
    }
  }
  return tokens;
}
