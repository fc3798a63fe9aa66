// Texts in the language of the reader.
//
//   await loadTexts('en');
//   t('range.last', { duration: tn('unit.m', 15) })     "Last 15 minutes"
//
// Order:   texts are loaded before anything is drawn; only the reader's language is.
// Threads: the page sees one language at a time; app.tsx redraws everything when it changes.
import type { Language } from '../base/prefs';
import type { en } from './en';

export type TextKey = keyof typeof en;
export type Texts = Record<TextKey, string>;
export type PluralKey = TextKey extends infer K
  ? K extends `${infer Base}.one`
    ? Base
    : never
  : never;

let texts = {} as Texts;

export function useTexts(loaded: Texts): void {
  texts = loaded;
}

export async function loadTexts(language: Language): Promise<void> {
  useTexts(language === 'zh' ? (await import('./zh')).zh : (await import('./en')).en);
}

export function fill(template: string, values: Record<string, string | number>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    name in values ? String(values[name]) : whole,
  );
}

export function t(key: TextKey, values?: Record<string, string | number>): string {
  return values ? fill(texts[key], values) : texts[key];
}

// The form for `n`; `{n}` becomes `shown` where n is written in another way (12,345).
export function tn(key: PluralKey, n: number, shown: string = String(n)): string {
  return fill(texts[`${key}.${n === 1 ? 'one' : 'other'}` as TextKey], { n: shown });
}
