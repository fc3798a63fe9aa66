// The frame of every page but the search page: bar on top, title with its buttons, content.
import type { ComponentChildren } from 'preact';
import { t } from '../i18n/i18n';
import { useDocumentTitle } from './hooks';
import { kNav, type PageId } from './nav';
import { Shell } from './shell';

interface Props {
  page: PageId;
  // In the place of the page's name.
  title?: string;
  lead?: string;
  actions?: ComponentChildren;
  children: ComponentChildren;
}

export function Page({ page, title, lead, actions, children }: Props) {
  const name = title ?? t(kNav.find(({ id }) => id === page)!.title);
  useDocumentTitle(`${name} · Kelp`);
  return (
    <Shell current={page}>
      <main class="page page-plain" id="content" tabIndex={-1}>
        <header class="page-head">
          <div>
            <h1>{name}</h1>
            {lead && <p class="hint">{lead}</p>}
          </div>
          <span class="grow" />
          {actions}
        </header>
        {children}
      </main>
    </Shell>
  );
}
