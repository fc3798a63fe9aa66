// JSON of rows, with numbers as they were written.
//
// A number such as 9007199254740993 or 1.0 is another one, or another text, once it is a double; yet the
// search for its exact value needs its text. Such numbers become raw JSON values, which print as they
// came. Browsers without raw JSON (before 2024) read plain numbers instead.
import type { Json } from './types';

interface RawJson {
  rawJSON(text: string): object;
  isRawJSON(value: unknown): boolean;
}

const raw = JSON as unknown as Partial<RawJson>;

type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;

const keepNumbers: Reviver = (_key, value, context) => {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || String(value) === source) return value;
  return raw.rawJSON ? raw.rawJSON(source) : value;
};

export function parseExact(text: string): Json {
  return JSON.parse(text, keepNumbers as (key: string, value: unknown) => unknown) as Json;
}

// The same value with plain numbers, to compute with.
export function plainNumbers(value: Json): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

// The text of a number, as the server wrote it where that is known; null for anything else.
export function numberText(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  if (raw.isRawJSON?.(value)) return (value as { rawJSON: string }).rawJSON;
  return null;
}
