// Saved searches and what was searched before, below the star of the search page. Loaded when it is opened.
import { useEffect, useState } from 'preact/hooks';
import {
  emptyHistory,
  historyOf,
  savedSearches,
  type PastQuery,
  type SavedSearch,
} from '../../../api/library';
import { t, tn } from '../../../i18n/i18n';
import { countText, millisText } from '../../../model/number';
import { dateTimeText, serverTime } from '../../../model/time';
import { boundText, kNow, parseBound } from '../../../model/time_range';
import { kChartKinds, kDefaultView, oneOf, type View } from '../../../model/view';
import { useServices } from '../../../state/services';
import { Icon } from '../../../ui/icon';
import { useAttempt } from '../../../ui/loaded';
import { Segmented } from '../../../ui/segmented';

export interface LibraryProps {
  view: View;
  onOpen: (view: View) => void;
}

const kNameCharsMax = 100;

function viewOf(
  project: string,
  saved: Pick<SavedSearch, 'logstores' | 'q' | 'from' | 'to' | 'view'>,
): View {
  const looks = (saved.view ?? {}) as { chart?: string; columns?: string[]; tab?: string };
  const from = parseBound(saved.from, 'utc', 0);
  return {
    ...kDefaultView,
    project,
    logstore: saved.logstores.join(','),
    query: saved.q,
    range: from
      ? { from, to: parseBound(saved.to || 'now', 'utc', 0) ?? kNow }
      : kDefaultView.range,
    chart: oneOf(looks.chart ?? null, kChartKinds),
    columns: Array.isArray(looks.columns) ? looks.columns.map(String) : [],
    tab: looks.tab === 'patterns' ? 'patterns' : 'rows',
  };
}

function savedOf(name: string, view: View): SavedSearch {
  return {
    name,
    logstores: view.logstore.split(','),
    q: view.query,
    from: boundText(view.range.from),
    to: boundText(view.range.to),
    view: { chart: view.chart, columns: [...view.columns], tab: view.tab },
  };
}

function SaveForm({ view, onSaved }: { view: View; onSaved: () => void }) {
  const { api, toaster } = useServices();
  const attempt = useAttempt();
  const [name, setName] = useState('');
  const save = (event: Event) => {
    event.preventDefault();
    if (!name.trim()) return;
    void attempt(async () => {
      await savedSearches.put(api, view.project, savedOf(name.trim(), view));
      toaster.show(t('library.saved_as', { name: name.trim() }));
      setName('');
      onSaved();
    });
  };
  return (
    <form class="save-form" onSubmit={save}>
      <input
        class="input"
        id="save-name"
        autoFocus
        maxLength={kNameCharsMax}
        placeholder={t('library.name')}
        aria-label={t('library.name')}
        value={name}
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <button type="submit" class="button button-primary" disabled={!name.trim()}>
        {t('library.save')}
      </button>
    </form>
  );
}

function SavedList({ view, onOpen }: LibraryProps) {
  const { api } = useServices();
  const attempt = useAttempt();
  const [list, setList] = useState<SavedSearch[] | null>(null);
  const load = () => attempt(async () => setList(await savedSearches.all(api, view.project)));
  useEffect(() => void load(), [view.project]);
  const remove = (name: string) =>
    attempt(async () => {
      await savedSearches.remove(api, view.project, name);
      await load();
    });
  return (
    <>
      <SaveForm view={view} onSaved={() => void load()} />
      {list?.length === 0 && <p class="hint">{t('library.no_saved')}</p>}
      <ul class="library-list">
        {(list ?? []).map((saved) => (
          <li key={saved.name}>
            <button
              type="button"
              class="menu-item library-item"
              onClick={() => onOpen(viewOf(view.project, saved))}
            >
              <span>{saved.name}</span>
              <code class="library-query">{saved.q || '*'}</code>
            </button>
            {saved.editable !== false && (
              <button
                type="button"
                class="icon-button"
                aria-label={t('library.delete', { name: saved.name })}
                title={t('library.delete', { name: saved.name })}
                onClick={() => void remove(saved.name)}
              >
                <Icon name="trash" size={14} />
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function History({ view, onOpen }: LibraryProps) {
  const { api, prefs } = useServices();
  const attempt = useAttempt();
  const [list, setList] = useState<PastQuery[] | null>(null);
  const load = () => attempt(async () => setList(await historyOf(api, view.project)));
  useEffect(() => void load(), [view.project]);
  const empty = () =>
    attempt(async () => {
      await emptyHistory(api, view.project);
      await load();
    });
  if (list?.length === 0) return <p class="hint">{t('library.no_history')}</p>;
  return (
    <>
      <ul class="library-list">
        {(list ?? []).map((past, index) => (
          <li key={index}>
            <button
              type="button"
              class="menu-item library-item"
              onClick={() => onOpen(viewOf(view.project, past))}
            >
              <code class="library-query">{past.q || '*'}</code>
              <span class="hint">
                {dateTimeText(Math.floor(serverTime(past.at) / 1000) * 1000, prefs.get().zone)} ·{' '}
                {past.logstores.join(', ')} · {tn('stats.found', past.rows, countText(past.rows))} ·{' '}
                {millisText(past.wall_ms)}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {list && (
        <button type="button" class="button button-small" onClick={() => void empty()}>
          {t('library.empty_history')}
        </button>
      )}
    </>
  );
}

export function Library(props: LibraryProps) {
  const [tab, setTab] = useState<'saved' | 'history'>('saved');
  return (
    <div class="library">
      <Segmented<'saved' | 'history'>
        label={t('library.title')}
        value={tab}
        options={[
          ['saved', t('library.saved')],
          ['history', t('library.history')],
        ]}
        onChange={setTab}
      />
      {tab === 'saved' ? <SavedList {...props} /> : <History {...props} />}
    </div>
  );
}
