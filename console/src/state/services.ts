// What every page may use: made once in main.tsx, handed down through a context.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ApiClient } from '../api/client';
import type { Prefs } from '../base/prefs';
import type { Router } from '../base/route';
import type { Value } from '../base/value';
import { t } from '../i18n/i18n';
import type { Toaster } from '../ui/toast';
import type { Catalog } from './catalog';
import type { FieldNames } from './field_names';
import type { SignIn } from './sign_in';

export interface Services {
  api: ApiClient;
  prefs: Value<Prefs>;
  router: Router;
  catalog: Catalog;
  fieldNames: FieldNames;
  toaster: Toaster;
  signIn: SignIn;
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (!services) throw new Error('no services above this component');
  return services;
}

function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'offscreen';
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  return copied;
}

// Copies text and says so. Plain-HTTP pages have no clipboard object; the old way still works there.
export async function copyText(text: string, toaster: Toaster): Promise<void> {
  const focused = document.activeElement as HTMLElement | null;
  let copied = false;
  try {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text);
      copied = true;
    } else {
      copied = copyBySelection(text);
    }
  } catch {
    copied = copyBySelection(text);
  }
  focused?.focus();
  toaster.show(t(copied ? 'app.copied' : 'app.copy_failed'));
}
