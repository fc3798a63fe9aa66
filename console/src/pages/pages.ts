// The console's pages as components. The search page comes with the first load; the others are loaded when
// they are opened. ui/nav.ts has their names.
import type { FunctionComponent } from 'preact';
import { lazy } from '../ui/lazy';
import { kNav, type PageId } from '../ui/nav';
import { SearchPage } from './search/search_page';

const kViews: Record<PageId, FunctionComponent> = {
  search: SearchPage,
  dashboards: lazy(async () => (await import('./other_pages')).DashboardsPage),
  alerts: lazy(async () => (await import('./other_pages')).AlertsPage),
  logstores: lazy(async () => (await import('./other_pages')).LogstoresPage),
  agents: lazy(async () => (await import('./other_pages')).AgentsPage),
  tokens: lazy(async () => (await import('./other_pages')).TokensPage),
  settings: lazy(async () => (await import('./other_pages')).SettingsPage),
};

export function pageFor(id: string): { id: PageId; view: FunctionComponent } {
  const page = kNav.find((each) => each.id === id) ?? kNav[0];
  return { id: page.id, view: kViews[page.id] };
}
