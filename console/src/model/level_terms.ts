// How to ask for errors and for warnings in the rows of a logstore: by the field that says the level, as
// words or as numbers. Rows whose level stands in their text only cannot be asked for exactly.
import type { Row } from '../api/types';
import { kLevelFields } from './row';

export interface LevelTerms {
  error: string;
  warn: string;
}

const kErrorWords = [
  'error',
  'err',
  'fatal',
  'panic',
  'critical',
  'crit',
  'severe',
  'alert',
  'emerg',
];
const kWarnWords = ['warn', 'warning'];

function anyOf(field: string, words: readonly string[]): string {
  return `(${words.map((word) => `${field}:${word}`).join(' OR ')})`;
}

// Of the numbers seen: 10 to 60 is bunyan and pino, 0 to 7 is syslog.
function numberTerms(field: string, numbers: readonly number[]): LevelTerms {
  if (Math.max(...numbers) >= 10) return { error: `${field}:>=50`, warn: `${field}:[40 TO 49]` };
  return { error: `${field}:<=3`, warn: `${field}:=4` };
}

// Null when no field of these rows says a level.
export function levelTerms(rows: readonly Row[]): LevelTerms | null {
  for (const field of kLevelFields) {
    const values = rows.map((row) => row.fields[field]).filter((value) => value !== undefined);
    if (values.length === 0) continue;
    const numbers = values.map((value) => Number(value));
    if (numbers.every((value) => !Number.isNaN(value))) return numberTerms(field, numbers);
    return { error: anyOf(field, kErrorWords), warn: anyOf(field, kWarnWords) };
  }
  return null;
}
