// Logstores: what they hold, how fast they grow, how long rows stay; making, changing and deleting them.
import { useState } from 'preact/hooks';
import type { Logstore } from '../../api/types';
import { routeText } from '../../base/route';
import { t, tn } from '../../i18n/i18n';
import { bytesText, compactCount, countText } from '../../model/number';
import { dateTimeText, serverTime, type Zone } from '../../model/time';
import type { CatalogProject } from '../../state/catalog';
import { useServices } from '../../state/services';
import { useValue } from '../../ui/hooks';
import { Icon } from '../../ui/icon';
import { useIsAdmin, useLoaded } from '../../ui/loaded';
import { Page } from '../../ui/page';
import { StateNotice } from '../../ui/state_notice';
import { CreateDialog, DeleteDialog, RetentionDialog } from './logstore_dialogs';

// Rates are those of the last minute.
const kRefreshMillis = 10_000;

export interface Chosen {
  project: string;
  store: Logstore;
}

type Open = { kind: 'create' } | { kind: 'change' | 'delete'; chosen: Chosen } | null;

function timeText(value: Logstore['oldest'], zone: Zone): string {
  const ms = serverTime(value);
  return Number.isNaN(ms) ? '–' : dateTimeText(Math.floor(ms / 1000) * 1000, zone);
}

function Rate({ store }: { store: Logstore }) {
  if (store.rows_per_second === undefined) return <>–</>;
  return (
    <>
      {store.rows_per_second < 10
        ? store.rows_per_second.toFixed(1)
        : compactCount(store.rows_per_second)}
      <span class="muted"> · {bytesText(store.bytes_per_second ?? 0)}/s</span>
    </>
  );
}

function Retention({ store }: { store: Logstore }) {
  const { retention, retention_size: size } = store;
  if (!retention && !size) return <>{t('logstores.forever')}</>;
  return <>{[retention, size].filter(Boolean).join(' · ')}</>;
}

interface RowProps {
  chosen: Chosen;
  zone: Zone;
  admin: boolean;
  onOpen: (open: Open) => void;
}

function StoreRow({ chosen, zone, admin, onOpen }: RowProps) {
  const { project, store } = chosen;
  const { name } = store;
  const link = routeText('search', new URLSearchParams({ project, logstore: name }));
  return (
    <tr>
      <th scope="row">
        <a href={link}>{name}</a>
      </th>
      <td class="cell-number" title={countText(store.rows)}>
        {compactCount(store.rows)}
      </td>
      <td class="cell-number">
        {bytesText(store.bytes)}
        {store.raw_bytes !== undefined && (
          <span class="muted"> / {bytesText(store.raw_bytes)}</span>
        )}
      </td>
      <td class="cell-number">{store.compression ? `${store.compression.toFixed(1)}×` : '–'}</td>
      <td class="cell-number">
        <Rate store={store} />
      </td>
      <td class="cell-time">{timeText(store.oldest, zone)}</td>
      <td class="cell-time">{timeText(store.newest, zone)}</td>
      <td>
        <Retention store={store} />
      </td>
      {admin && (
        <td class="cell-buttons">
          <button
            type="button"
            class="icon-button"
            aria-label={t('logstores.change', { name })}
            title={t('logstores.change', { name })}
            onClick={() => onOpen({ kind: 'change', chosen })}
          >
            <Icon name="edit" />
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label={t('logstores.delete', { name })}
            title={t('logstores.delete', { name })}
            onClick={() => onOpen({ kind: 'delete', chosen })}
          >
            <Icon name="trash" />
          </button>
        </td>
      )}
    </tr>
  );
}

function ProjectTable({
  project,
  admin,
  zone,
  onOpen,
}: {
  project: CatalogProject;
  admin: boolean;
  zone: Zone;
  onOpen: (open: Open) => void;
}) {
  const heads = [
    'name',
    'rows',
    'size',
    'compression',
    'rate',
    'oldest',
    'newest',
    'retention',
  ] as const;
  const numbers = new Set<string>(['rows', 'size', 'compression', 'rate']);
  return (
    <section class="box box-table" aria-label={project.name}>
      <h2 class="box-title">
        {project.name} <span class="hint">{tn('logstores.count', project.logstores.length)}</span>
      </h2>
      {project.logstores.length === 0 ? (
        <p class="hint">{t('store.empty_project')}</p>
      ) : (
        <div class="table-box">
          <table class="table" aria-label={project.name}>
            <thead>
              <tr>
                {heads.map((head) => (
                  <th key={head} scope="col" class={numbers.has(head) ? 'cell-number' : ''}>
                    {t(`logstores.${head}`)}
                  </th>
                ))}
                {admin && (
                  <th scope="col">
                    <span class="heard">{t('app.actions')}</span>
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {project.logstores.map((store) => (
                <StoreRow
                  key={store.name}
                  chosen={{ project: project.name, store }}
                  {...{ zone, admin, onOpen }}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

export function LogstoresPage() {
  const { catalog, prefs } = useServices();
  const { zone } = useValue(prefs);
  const known = useValue(catalog.state);
  const admin = useIsAdmin();
  const [open, setOpen] = useState<Open>(null);
  const loaded = useLoaded(() => catalog.load(), [], kRefreshMillis);
  const close = () => setOpen(null);
  const done = () => {
    close();
    loaded.again();
  };
  const actions = admin && (
    <button
      type="button"
      class="button button-primary"
      id="create-logstore"
      onClick={() => setOpen({ kind: 'create' })}
    >
      <Icon name="plus" />
      {t('logstores.create')}
    </button>
  );
  return (
    <Page page="logstores" lead={t('logstores.lead')} actions={actions}>
      <StateNotice loaded={{ ...loaded, value: known.loaded || null, problem: known.problem }} />
      {known.projects.map((project) => (
        <ProjectTable key={project.name} {...{ project, admin, zone }} onOpen={setOpen} />
      ))}
      {open?.kind === 'create' && (
        <CreateDialog
          projects={known.projects.map(({ name }) => name)}
          onClose={close}
          onDone={done}
        />
      )}
      {open?.kind === 'change' && (
        <RetentionDialog chosen={open.chosen} onClose={close} onDone={done} />
      )}
      {open?.kind === 'delete' && (
        <DeleteDialog chosen={open.chosen} onClose={close} onDone={done} />
      )}
    </Page>
  );
}
