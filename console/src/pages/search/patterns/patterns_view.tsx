// Lines of one kind as one line each: how many there are, and how that changed against the time before.
// Loaded when it is opened.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, isAbort, type StoreName } from '../../../api/client';
import { patternsOf, type Pattern, type PatternsAnswer } from '../../../api/statistics';
import { t, tn } from '../../../i18n/i18n';
import { newId } from '../../../base/id';
import { stripAnsi } from '../../../model/ansi';
import { countText } from '../../../model/number';
import { addTerm, splitQuery } from '../../../model/query_text';
import { kDay, kHour, unixNanosText } from '../../../model/time';
import type { Window } from '../../../model/time_range';
import type { Compare } from '../../../model/view';
import { useServices } from '../../../state/services';
import { Icon } from '../../../ui/icon';
import { Notice } from '../../../ui/notice';
import { Segmented } from '../../../ui/segmented';

export interface PatternsViewProps {
  store: StoreName;
  query: string;
  window: Window;
  compare: Compare;
  onCompare: (compare: Compare) => void;
  onQuery: (query: string) => void;
}

const kPatternsAsked = 100;
// A share that changed by less than this is as ever.
const kSteady = 1.25;

function compareWindow({ from, to }: Window, compare: Compare): Window | null {
  if (compare === 'none') return null;
  const back = compare === 'before' ? to - from : compare === 'day' ? kDay : 7 * kDay;
  return { from: from - back, to: to - back };
}

function nanos({ from, to }: Window): { from: string; to: string } {
  return { from: unixNanosText(from), to: unixNanosText(to) };
}

interface Loaded {
  answer: PatternsAnswer | null;
  problem: ApiError | null;
  loading: boolean;
}

function usePatterns({ store, query, window: range }: PatternsViewProps, compare: Compare): Loaded {
  const { api } = useServices();
  const [loaded, setLoaded] = useState<Loaded>({ answer: null, problem: null, loading: true });
  const { search } = splitQuery(query);
  useEffect(() => {
    const abort = new AbortController();
    const id = newId();
    let running = true;
    setLoaded((before) => ({ ...before, loading: true }));
    const other = compareWindow(range, compare);
    const call = {
      ...store,
      query: search,
      id,
      ...nanos(range),
      limit: kPatternsAsked,
      compare: other && nanos(other),
    };
    const ended = () => {
      running = false;
    };
    patternsOf(api, call, abort.signal)
      .finally(ended)
      .then(
        (answer) => !abort.signal.aborted && setLoaded({ answer, problem: null, loading: false }),
        (error: unknown) => {
          if (isAbort(error) || abort.signal.aborted) return;
          if (!(error instanceof ApiError)) throw error;
          setLoaded({ answer: null, problem: error, loading: false });
        },
      );
    return () => {
      abort.abort();
      // Nobody waits for it any more, and it may take the server a while.
      if (running) void api.cancel(id);
    };
  }, [store.project, store.logstore, search, range.from, range.to, compare]);
  return loaded;
}

// What src/query/line_mask writes in the place of what differs.
const kHoles = /(<(?:\*|time|ip|id|num|str)>)/;

// A terminal colour whose numbers were masked.
const kMaskedColour = /\u001b\[(?:<num>|[0-9;:])*m/g;

// Words that differ from line to line are set apart.
function Template({ text }: { text: string }) {
  return (
    <>
      {stripAnsi(text.replace(kMaskedColour, ''))
        .split(kHoles)
        .map((piece, index) =>
          index % 2 === 1 ? (
            <span key={index} class="hole">
              {piece.slice(1, -1)}
            </span>
          ) : (
            piece
          ),
        )}
    </>
  );
}

function Change({ pattern }: { pattern: Pattern }) {
  const { before, change, rows } = pattern;
  if (before === null) return null;
  if (before === 0) return <span class="change change-new">{t('patterns.new')}</span>;
  if (rows === 0) return <span class="change change-gone">{t('patterns.gone')}</span>;
  if (change === null || (change < kSteady && change > 1 / kSteady)) {
    return <span class="change">{t('patterns.steady')}</span>;
  }
  const more = change > 1;
  const factor = more ? change : 1 / change;
  return (
    <span
      class={`change ${more ? 'change-more' : 'change-less'}`}
      title={t('patterns.before', { n: countText(before) })}
    >
      {more ? '↑' : '↓'} {factor >= 10 ? Math.round(factor) : factor.toFixed(1)}×
    </span>
  );
}

function PatternRow({
  pattern,
  onQuery,
  query,
  compared,
}: {
  pattern: Pattern;
  query: string;
  compared: boolean;
  onQuery: (query: string) => void;
}) {
  const { search } = splitQuery(query);
  const found = pattern.query;
  const percent = pattern.share * 100;
  return (
    <li class="pattern">
      <span class="pattern-count">
        <strong>{countText(pattern.rows)}</strong>
        <span class="hint">{percent < 0.1 && pattern.rows > 0 ? '<0.1' : percent.toFixed(1)}%</span>
        <span class="share-bar" aria-hidden="true">
          <span style={{ width: `${Math.min(100, percent).toFixed(1)}%` }} />
        </span>
      </span>
      {compared && <Change pattern={pattern} />}
      <span class="pattern-text" title={pattern.example ?? undefined}>
        <Template text={pattern.template || t('patterns.no_text')} />
      </span>
      {found && (
        <span class="pattern-actions">
          <button
            type="button"
            class="icon-button"
            aria-label={t('patterns.only')}
            title={t('patterns.only')}
            onClick={() => onQuery(addTerm(search, found, 'include'))}
          >
            <Icon name="plus" size={14} />
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label={t('patterns.without')}
            title={t('patterns.without')}
            onClick={() => onQuery(addTerm(search, found, 'exclude'))}
          >
            <Icon name="minus" size={14} />
          </button>
        </span>
      )}
    </li>
  );
}

export function PatternsView(props: PatternsViewProps) {
  const { compare, onCompare } = props;
  const { answer, problem, loading } = usePatterns(props, compare);
  const span = props.window.to - props.window.from;
  const options: Array<readonly [Compare, string]> = [
    ['none', t('patterns.compare.none')],
    ['before', t('patterns.compare.before')],
  ];
  if (span < kDay - kHour) options.push(['day', t('patterns.compare.day')]);
  options.push(['week', t('patterns.compare.week')]);
  return (
    <section
      class={`patterns ${loading && answer ? 'rows-stale' : ''}`}
      id="patterns"
      aria-label={t('tab.patterns')}
      aria-busy={loading}
    >
      <div class="analysis-bar">
        <span class="hint">{t('patterns.compare')}</span>
        <Segmented<Compare>
          label={t('patterns.compare')}
          value={compare}
          options={options}
          onChange={onCompare}
        />
        <span class="grow" />
        {answer && (
          <span class="hint">
            {tn('patterns.count', answer.patterns.length, countText(answer.patterns.length))} ·{' '}
            {tn('stats.found', answer.rows, countText(answer.rows))}
            {answer.sampled && ` · ${t('patterns.sampled')}`}
          </span>
        )}
      </div>
      {problem && (
        <Notice kind="error" title={t('notice.failed')}>
          {problem.message}
        </Notice>
      )}
      {!answer && loading && <p class="waiting">{t('patterns.running')}</p>}
      {answer && answer.patterns.length === 0 && <p class="waiting">{t('histogram.empty')}</p>}
      {answer && (
        <ul>
          {answer.patterns.map((pattern, index) => (
            <PatternRow
              key={`${index}${pattern.template}`}
              pattern={pattern}
              query={props.query}
              compared={compare !== 'none'}
              onQuery={props.onQuery}
            />
          ))}
        </ul>
      )}
    </section>
  );
}
