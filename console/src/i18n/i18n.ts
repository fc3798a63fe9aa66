// Texts in the language of the reader.
//
//   t('range.last', { duration: tn('unit.m', 15) })     "Last 15 minutes"
//
// Threads of the page see one language at a time; app.tsx redraws everything when it changes.
import type { Language } from '../base/prefs';
import { en } from './en';
import { zh } from './zh';

export type TextKey = keyof typeof en;
export type PluralKey = TextKey extends infer K ? (K extends `${infer Base}.one` ? Base : never) : never;

const kTexts: Record<Language, Record<TextKey, string>> = { en, zh };

let texts: Record<TextKey, string> = en;

export function setLanguage(language: Language): void {
  texts = kTexts[language];
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
