// The pages by name, in the order of the navigation. The first one is where people land.
import type { TextKey } from '../i18n/i18n';
import type { IconName } from './icon';

export interface NavEntry {
  id: string;
  title: TextKey;
  icon: IconName;
  // Only for those who administer the server.
  admin?: boolean;
}

export const kNav = [
  { id: 'search', title: 'page.search', icon: 'search' },
  { id: 'dashboards', title: 'page.dashboards', icon: 'grid' },
  { id: 'alerts', title: 'page.alerts', icon: 'bell' },
  { id: 'logstores', title: 'page.logstores', icon: 'store' },
  { id: 'agents', title: 'page.agents', icon: 'agent' },
  { id: 'tokens', title: 'page.tokens', icon: 'key', admin: true },
  { id: 'settings', title: 'page.settings', icon: 'settings' },
] as const satisfies readonly NavEntry[];

export type PageId = (typeof kNav)[number]['id'];
