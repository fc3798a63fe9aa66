// The fields of the rows found: how many rows have each, which values are frequent, how numbers are spread.
// Loaded when it is opened.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, isAbort, type StoreName } from '../../../api/client';
import { fieldsOf, type FieldsAnswer, type FieldStat } from '../../../api/statistics';
import { t, tn } from '../../../i18n/i18n';
import { newId } from '../../../base/id';
import { compactCount, countText } from '../../../model/number';
import { splitQuery } from '../../../model/query_text';
import { unixNanosText } from '../../../model/time';
import type { Window } from '../../../model/time_range';
import { useServices } from '../../../state/services';
import { Icon } from '../../../ui/icon';
import { FieldDetails } from './field_details';

export interface FieldsPanelProps {
  store: StoreName;
  query: string;
  window: Window | null;
  // The rows of this search are here, so this may take the server's time.
  ready: boolean;
  columns: readonly string[];
  onTerm: (term: string, how: 'include' | 'exclude') => void;
  onPin: (name: string) => void;
  onQuery: (query: string) => void;
  onClose: () => void;
}

const kRowsLooked = 1_000_000;
const kKindSigns: Record<string, string> = {
  text: 'T',
  integer: '#',
  number: '#',
  boolean: '?',
  json: '{}',
  mixed: '∗',
};

interface Loaded {
  answer: FieldsAnswer | null;
  problem: string | null;
  loading: boolean;
}

function useFields({ store, query, window: range, ready }: FieldsPanelProps): Loaded {
  const { api, fieldNames } = useServices();
  const [loaded, setLoaded] = useState<Loaded>({ answer: null, problem: null, loading: true });
  const { search } = splitQuery(query);
  useEffect(() => {
    if (!ready || !range || !store.logstore) return undefined;
    const abort = new AbortController();
    const id = newId();
    let running = true;
    setLoaded((before) => ({ ...before, loading: true }));
    const from = unixNanosText(range.from);
    const to = unixNanosText(range.to);
    const ended = () => {
      running = false;
    };
    const call = { ...store, query: search, from, to, rows: kRowsLooked, id };
    fieldsOf(api, call, abort.signal)
      .finally(ended)
      .then(
        (answer) => {
          if (abort.signal.aborted) return;
          setLoaded({ answer, problem: null, loading: false });
          if (answer.fields.length > 0)
            fieldNames.put(
              store,
              answer.fields.map(({ name }) => name),
            );
        },
        (error: unknown) => {
          if (isAbort(error) || abort.signal.aborted) return;
          if (!(error instanceof ApiError)) throw error;
          setLoaded({ answer: null, problem: error.message, loading: false });
        },
      );
    return () => {
      abort.abort();
      // Nobody waits for it any more, and it may take the server a while.
      if (running) void api.cancel(id);
    };
  }, [store.project, store.logstore, search, range?.from, range?.to, ready]);
  return loaded;
}

interface ItemProps extends Pick<
  FieldsPanelProps,
  'columns' | 'onTerm' | 'onPin' | 'onQuery' | 'query'
> {
  field: FieldStat;
}

function FieldItem(props: ItemProps) {
  const { field, columns } = props;
  const [open, setOpen] = useState(false);
  const percent = Math.round(field.coverage * 100);
  return (
    <li class={`field-item ${open ? 'field-open' : ''}`}>
      <button
        type="button"
        class="field-head"
        aria-expanded={open}
        title={t('fields.coverage', { name: field.name, n: percent })}
        onClick={() => setOpen(!open)}
      >
        <span class="field-kind" aria-hidden="true">
          {kKindSigns[field.kind] ?? 'T'}
        </span>
        <span class="field-name">{field.name}</span>
        {columns.includes(field.name) && <Icon name="pin" size={12} />}
        <span class="field-share">{percent < 1 && field.rows > 0 ? '<1' : percent}%</span>
      </button>
      {open && <FieldDetails {...props} />}
    </li>
  );
}

export function FieldsPanel(props: FieldsPanelProps) {
  const { columns, onClose } = props;
  const [filter, setFilter] = useState('');
  const { answer, problem, loading } = useFields(props);
  const wanted = filter.trim().toLowerCase();
  const fields = (answer?.fields ?? []).filter(({ name }) => name.toLowerCase().includes(wanted));
  // Pinned ones stand first.
  const sorted = [...fields].sort(
    (a, b) => Number(columns.includes(b.name)) - Number(columns.includes(a.name)),
  );
  return (
    <aside class="fields" id="fields" aria-label={t('fields.title')} aria-busy={loading}>
      <header>
        <h2>{t('fields.title')}</h2>
        {answer && <span class="hint">{countText(answer.fields.length)}</span>}
        <span class="grow" />
        <button
          type="button"
          class="icon-button"
          aria-label={t('fields.hide')}
          title={t('fields.hide')}
          onClick={onClose}
        >
          <Icon name="left" />
        </button>
      </header>
      <input
        type="search"
        class="input input-small"
        placeholder={t('fields.filter')}
        aria-label={t('fields.filter')}
        value={filter}
        onInput={(event) => setFilter(event.currentTarget.value)}
      />
      {problem && <p class="field-error">{t('fields.problem', { message: problem })}</p>}
      <ul class={loading && answer ? 'rows-stale' : ''}>
        {sorted.map((field) => (
          <FieldItem key={field.name} field={field} {...props} />
        ))}
      </ul>
      {answer && fields.length === 0 && (
        <p class="hint">{t(answer.fields.length === 0 ? 'histogram.empty' : 'fields.none')}</p>
      )}
      {answer && answer.rows > 0 && (
        <p class="hint">
          {answer.sampled
            ? t('fields.sampled', { rows: compactCount(answer.rows) })
            : tn('fields.all', answer.rows, countText(answer.rows))}
        </p>
      )}
    </aside>
  );
}
