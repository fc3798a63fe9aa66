// The console's pages, in the order of the navigation. A page is a component and the name that the
// address uses for it; the first one is where people land.
import type { FunctionComponent } from 'preact';
import type { TextKey } from '../i18n/i18n';
import { SearchPage } from './search/search_page';

export interface Page {
  id: string;
  title: TextKey;
  view: FunctionComponent;
}

export const kPages: readonly Page[] = [{ id: 'search', title: 'page.search', view: SearchPage }];

export function pageFor(id: string): Page {
  return kPages.find((page) => page.id === id) ?? kPages[0]!;
}
