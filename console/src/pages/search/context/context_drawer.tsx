// The rows of one origin around a row, as they were written. Loaded when it is opened. A dialog: the focus
// stays inside, Escape closes it.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ApiError, isAbort, type StoreName } from '../../../api/client';
import { contextOf, type ContextAnswer } from '../../../api/statistics';
import type { Row } from '../../../api/types';
import { t, tn } from '../../../i18n/i18n';
import { rowKey, rowView } from '../../../model/row';
import { clockText, dateText, type Zone } from '../../../model/time';
import type { Place } from '../../../model/view';
import { copyText, useServices } from '../../../state/services';
import { Icon } from '../../../ui/icon';
import { Notice } from '../../../ui/notice';
import { Marked } from '../marked';

export interface ContextDrawerProps {
  store: StoreName;
  place: Place;
  zone: Zone;
  pattern: RegExp | null;
  onClose: () => void;
}

const kFirst = 20;
const kStep = 50;
// The server's own limit on each side.
const kSideMax = 999;

function placeKey({ origin, logstore }: Place): string {
  return `${logstore}/${origin.id}/${origin.offset}`;
}

interface Loaded {
  answer: ContextAnswer | null;
  problem: ApiError | null;
}

function useContextRows(
  { store, place }: ContextDrawerProps,
  before: number,
  after: number,
): Loaded {
  const { api } = useServices();
  const [loaded, setLoaded] = useState<Loaded>({ answer: null, problem: null });
  useEffect(() => {
    const abort = new AbortController();
    const where = { ...store, logstore: place.logstore };
    contextOf(api, where, place, { before, after }, abort.signal).then(
      (answer) => !abort.signal.aborted && setLoaded({ answer, problem: null }),
      (error: unknown) => {
        if (isAbort(error) || abort.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        setLoaded({ answer: null, problem: error });
      },
    );
    return () => abort.abort();
  }, [placeKey(place), before, after]);
  return loaded;
}

interface LineProps {
  row: Row;
  here: boolean;
  zone: Zone;
  pattern: RegExp | null;
}

function ContextLine({ row, here, zone, pattern }: LineProps) {
  const view = useMemo(() => rowView(row), [row]);
  return (
    <li
      class={`context-row level-${view.level} ${here ? 'context-here' : ''}`}
      aria-current={here ? 'true' : undefined}
    >
      <time class="row-time" dateTime={row.time} title={`${dateText(view.ms, zone)} ${row.time}`}>
        {clockText(view.ms, zone, 'milli')}
      </time>
      <span class="row-level">{view.level === 'none' ? '' : view.level}</span>
      <span class="context-text">
        <Marked text={row.body || view.text} pattern={pattern} />
        {row.body === '' &&
          view.extras.map(([name, value]) => (
            <span key={name} class="extra">
              <span class="extra-name">{name}=</span>
              {value}
            </span>
          ))}
      </span>
    </li>
  );
}

export function ContextDrawer(props: ContextDrawerProps) {
  const { zone, pattern, onClose } = props;
  const { toaster } = useServices();
  const [before, setBefore] = useState(kFirst);
  const [after, setAfter] = useState(kFirst);
  const { answer, problem } = useContextRows(props, before, after);
  const element = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => element.current?.showModal(), []);
  // The row that was asked about stays in sight when rows come in above it.
  useLayoutEffect(() => {
    list.current
      ?.querySelector('.context-here')
      ?.scrollIntoView({ block: before === kFirst ? 'center' : 'nearest' });
  }, [answer]);
  const rows = answer?.rows ?? [];
  const at = answer?.at ?? -1;
  const here = rows[at] ?? rows[0];
  return (
    <dialog
      ref={element}
      class="drawer"
      id="context"
      aria-label={t('context.title')}
      onClose={onClose}
      onClick={(event) => event.target === element.current && onClose()}
    >
      <div class="drawer-body">
        <header>
          <h2>{t('context.title')}</h2>
          <span class="hint">{here && rowView(here).source}</span>
          <span class="grow" />
          <button
            type="button"
            class="icon-button"
            aria-label={t('context.copy')}
            title={t('context.copy')}
            onClick={() =>
              void copyText(
                rows.map((each) => each.body || JSON.stringify(each.fields)).join('\n'),
                toaster,
              )
            }
          >
            <Icon name="copy" />
          </button>
          <button type="button" class="icon-button" aria-label={t('app.close')} onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {problem && (
          <Notice kind="error" title={t('context.problem')}>
            {problem.message}
          </Notice>
        )}
        {!answer && !problem && <p class="waiting">{t('app.loading')}</p>}
        {answer && (
          <div class="drawer-scroll">
            <div class="context-more">
              {answer.more_before && before < kSideMax ? (
                <button
                  type="button"
                  class="button button-small"
                  id="context-before"
                  onClick={() => setBefore(Math.min(kSideMax, before + kStep))}
                >
                  <Icon name="up" size={14} />
                  {t('context.earlier', { n: kStep })}
                </button>
              ) : (
                <span class="hint">{t('context.begin')}</span>
              )}
            </div>
            <ul ref={list} aria-label={tn('stats.found', rows.length)}>
              {rows.map((each, index) => (
                <ContextLine
                  key={rowKey(each) + index}
                  row={each}
                  here={index === at}
                  zone={zone}
                  pattern={pattern}
                />
              ))}
            </ul>
            <div class="context-more">
              {answer.more_after && after < kSideMax ? (
                <button
                  type="button"
                  class="button button-small"
                  id="context-after"
                  onClick={() => setAfter(Math.min(kSideMax, after + kStep))}
                >
                  <Icon name="down" size={14} />
                  {t('context.later', { n: kStep })}
                </button>
              ) : (
                <span class="hint">{t('context.end')}</span>
              )}
            </div>
          </div>
        )}
      </div>
    </dialog>
  );
}
