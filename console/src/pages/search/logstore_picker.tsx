// Chooses the logstore to search: all that this person may see, grouped by project.
import { useState } from 'preact/hooks';
import type { Logstore } from '../../api/types';
import { t, tn } from '../../i18n/i18n';
import { bytesText, compactCount } from '../../model/number';
import { dateTimeText, serverTime } from '../../model/time';
import type { CatalogProject } from '../../state/catalog';
import { useServices } from '../../state/services';
import { useValue } from '../../ui/hooks';
import { Icon } from '../../ui/icon';
import { Popover } from '../../ui/popover';

interface Props {
  project: string;
  logstore: string;
  onPick: (project: string, logstore: string) => void;
}

// Below this many, a filter box is only in the way.
const kFilterFrom = 8;
// The server's own limit on logstores of one search.
const kLogstoresMax = 16;

function Facts({ store }: { store: Logstore }) {
  const { prefs } = useServices();
  const newest = serverTime(store.newest);
  return (
    <span class="store-facts">
      {tn('store.rows', store.rows, compactCount(store.rows))} · {bytesText(store.bytes)}
      {!Number.isNaN(newest) && store.rows > 0 && (
        <> · {dateTimeText(Math.floor(newest / 1000) * 1000, prefs.get().zone)}</>
      )}
    </span>
  );
}

function matching(projects: readonly CatalogProject[], filter: string): CatalogProject[] {
  const wanted = filter.trim().toLowerCase();
  if (!wanted) return [...projects];
  return projects
    .map(({ name, logstores }) => ({
      name,
      logstores: logstores.filter((store) =>
        `${name}/${store.name}`.toLowerCase().includes(wanted),
      ),
    }))
    .filter(({ logstores }) => logstores.length > 0);
}

// Searches a further logstore of the project beside those chosen, or no more.
function AlsoButton({
  project,
  logstore,
  name,
  onAlso,
}: Omit<ChoicesProps, 'onPick'> & { name: string }) {
  const names = logstore.split(',').filter(Boolean);
  const chosen = names.includes(name);
  if (chosen && names.length === 1) return null;
  if (!chosen && names.length >= kLogstoresMax) return null;
  const next = chosen ? names.filter((each) => each !== name) : [...names, name];
  const label = t(chosen ? 'store.without' : 'store.also', { name });
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      aria-pressed={chosen}
      onClick={() => onAlso(project, next.join(','))}
    >
      <Icon name={chosen ? 'check' : 'plus'} size={14} />
    </button>
  );
}

interface ChoicesProps extends Props {
  // As onPick, and the list stays open.
  onAlso: Props['onPick'];
}

function Choices({ project, logstore, onPick, onAlso }: ChoicesProps) {
  const names = logstore.split(',');
  const { catalog } = useServices();
  const { projects } = useValue(catalog.state);
  const [filter, setFilter] = useState('');
  const total = projects.reduce((sum, each) => sum + each.logstores.length, 0);
  const shown = matching(projects, filter);
  return (
    <div class="stores">
      {total >= kFilterFrom && (
        <input
          type="search"
          class="input"
          placeholder={t('store.filter')}
          aria-label={t('store.filter')}
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
      )}
      {shown.length === 0 && <p class="hint">{t('store.none_match')}</p>}
      {shown.map((each) => (
        <section key={each.name} aria-label={each.name}>
          <h2>{each.name}</h2>
          {each.logstores.length === 0 && <p class="hint">{t('store.empty_project')}</p>}
          {each.logstores.map((store) => (
            <div key={store.name} class="store-line">
              <button
                type="button"
                class="menu-item store-item"
                aria-current={each.name === project && names.includes(store.name)}
                onClick={() => onPick(each.name, store.name)}
              >
                <span>{store.name}</span>
                <Facts store={store} />
              </button>
              {each.name === project && (
                <AlsoButton {...{ project, logstore, onAlso }} name={store.name} />
              )}
            </div>
          ))}
        </section>
      ))}
    </div>
  );
}

export function LogstorePicker(props: Props) {
  const { catalog } = useServices();
  const { project, logstore } = props;
  const label = logstore ? t('store.label', { project, logstore }) : t('store.pick');
  return (
    <Popover
      label={label}
      buttonClass="button picker"
      panelClass="panel-stores"
      id="store-button"
      onOpen={() => void catalog.load()}
      face={
        <>
          <Icon name="store" />
          {logstore ? (
            <span class="picker-name">
              <span class="muted">{project} /</span> {logstore.split(',').join(', ')}
            </span>
          ) : (
            <span>{t('store.pick')}</span>
          )}
          <Icon name="down" size={14} />
        </>
      }
    >
      {(close) => (
        <Choices
          {...props}
          onAlso={props.onPick}
          onPick={(...choice) => {
            close();
            props.onPick(...choice);
          }}
        />
      )}
    </Popover>
  );
}
