// What this browser remembers between visits: looks, language, the logstore last looked at.
//
// Errors: storage may be forbidden or full (private windows); preferences then last for the page.
import type { Zone } from '../model/time';
import { Value } from './value';

export type Theme = 'system' | 'light' | 'dark';
export type Language = 'en' | 'zh';

export interface Prefs {
  theme: Theme;
  language: Language;
  zone: Zone;
  wrap: boolean;
  // The field list stands beside the rows.
  fields: boolean;
  project: string;
  logstore: string;
}

// Narrower screens have no room for the field list unless it is asked for.
const kWidePixels = 1100;
const kStorageKey = 'kelp.console.prefs';

function choice<T extends string>(value: unknown, allowed: readonly T[], fallback: T): T {
  return allowed.includes(value as T) ? (value as T) : fallback;
}

// Reads what an earlier (perhaps older or newer) console wrote; whatever does not fit is ignored.
export function prefsFrom(
  text: string | null,
  browserLanguages: readonly string[],
  wideScreen = true,
): Prefs {
  let stored: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(text ?? '{}');
    if (parsed !== null && typeof parsed === 'object') stored = parsed as Record<string, unknown>;
  } catch {
    // An unreadable entry is as good as none.
  }
  const spoken: Language = /^zh\b/i.test(browserLanguages[0] ?? '') ? 'zh' : 'en';
  return {
    theme: choice(stored.theme, ['system', 'light', 'dark'], 'system'),
    language: choice(stored.language, ['en', 'zh'], spoken),
    zone: choice(stored.zone, ['local', 'utc'], 'local'),
    wrap: stored.wrap === true,
    fields: typeof stored.fields === 'boolean' ? stored.fields : wideScreen,
    project: typeof stored.project === 'string' ? stored.project : '',
    logstore: typeof stored.logstore === 'string' ? stored.logstore : '',
  };
}

export function loadPrefs(): Value<Prefs> {
  let text: string | null = null;
  try {
    text = window.localStorage.getItem(kStorageKey);
  } catch {
    // Storage is forbidden: start from the defaults.
  }
  const prefs = new Value(
    prefsFrom(text, navigator.languages ?? [navigator.language], window.innerWidth >= kWidePixels),
  );
  prefs.watch((value) => {
    try {
      window.localStorage.setItem(kStorageKey, JSON.stringify(value));
    } catch {
      // Storage is forbidden or full: the choice lasts for this page.
    }
  });
  return prefs;
}
