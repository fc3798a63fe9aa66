// JSON from the server. Whole numbers too large for a double (ids, nanoseconds) become text rather
// than another number, where the browser can tell; older browsers round them.
import type { Json } from './types';

type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;

const keepLargeNumbers: Reviver = (_key, value, context) => {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && /^-?\d{16,}$/.test(source) ? source : value;
};

export function parseJson(text: string): Json {
  // The reviver costs; most answers have no such number.
  if (!/[:,[]\s*-?\d{16,}\s*[,}\]]/.test(text)) return JSON.parse(text) as Json;
  return JSON.parse(text, keepLargeNumbers as (key: string, value: unknown) => unknown) as Json;
}
