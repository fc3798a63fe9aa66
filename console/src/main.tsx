// Starts the console: makes what lives as long as the page, then draws.
import { render } from 'preact';
import { ApiClient } from './api/client';
import { loadPrefs, type Theme } from './base/prefs';
import { Router } from './base/route';
import { App } from './app';
import { loadTexts } from './i18n/i18n';
import { Catalog } from './state/catalog';
import { FieldNames } from './state/field_names';
import { ServicesContext, type Services } from './state/services';
import { SignIn } from './state/sign_in';
import { Toaster } from './ui/toast';

const darkQuery = window.matchMedia('(prefers-color-scheme: dark)');

function applyTheme(theme: Theme): void {
  const dark = theme === 'dark' || (theme === 'system' && darkQuery.matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
}

async function start(): Promise<void> {
  const prefs = loadPrefs();
  const texts = loadTexts(prefs.get().language);
  applyTheme(prefs.get().theme);
  prefs.watch(({ theme }) => applyTheme(theme));
  darkQuery.addEventListener('change', () => applyTheme(prefs.get().theme));

  const api = new ApiClient(new URL('.', location.href.replace(/[?#].*$/, '')).href);
  const router = new Router();
  const services: Services = {
    api,
    prefs,
    router,
    catalog: new Catalog(api),
    fieldNames: new FieldNames(api),
    toaster: new Toaster(),
    signIn: new SignIn(api, router),
  };
  await texts;
  render(
    <ServicesContext.Provider value={services}>
      <App />
    </ServicesContext.Provider>,
    document.getElementById('app')!,
  );
}

void start();
