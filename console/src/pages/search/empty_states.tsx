// What the page says when there is nothing to show, and the next step it offers.
import { Fragment } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Logstore } from '../../api/types';
import { t } from '../../i18n/i18n';
import { dateTimeText, kDay, kHour, kMinute, serverTime, type Zone } from '../../model/time';
import {
  absoluteRange,
  kPresets,
  lastRange,
  windowText,
  type TimeRange,
  type Window,
} from '../../model/time_range';
import { copyText, useServices } from '../../state/services';
import { Icon } from '../../ui/icon';
import { Examples } from './query_help';
import { longDuration } from './time_picker';

interface Props {
  query: string;
  window: Window;
  nowMs: number;
  zone: Zone;
  cancelled: boolean;
  store: Logstore | undefined;
  onRange: (range: TimeRange) => void;
  onQuery: (query: string) => void;
}

// Presets that look further back than this range.
function widerPresets(window: Window, nowMs: number): number[] {
  const reach = nowMs - window.from;
  return kPresets.filter((ms) => ms > reach * 1.01 && [kHour, kDay, 7 * kDay, 30 * kDay].includes(ms)).slice(0, 2);
}

// Some minutes that end just after the newest row.
function newestRange(newest: number): TimeRange {
  return absoluteRange(Math.floor(newest) - 15 * kMinute, Math.floor(newest) + 1000);
}

export function NoRows(props: Props) {
  const { query, window, nowMs, zone, cancelled, store, onRange, onQuery } = props;
  const { catalog } = useServices();
  // The logstore's newest row may have come since the page was opened.
  useEffect(() => void catalog.load(), []);
  const everything = query.trim() === '' || query.trim() === '*';
  const newest = store && store.rows > 0 ? serverTime(store.newest) : NaN;
  const newestOutside = newest < window.from || newest >= window.to;
  if (cancelled) {
    return (
      <div class="empty">
        <Icon name="empty" size={40} />
        <p>{t('empty.cancelled')}</p>
      </div>
    );
  }
  return (
    <div class="empty">
      <Icon name="empty" size={40} />
      <h2>{t('empty.title')}</h2>
      <p>{t(everything ? 'empty.text_all' : 'empty.text', { window: windowText(window, zone) })}</p>
      {store && store.rows === 0 && <p>{t('empty.never')}</p>}
      <div class="empty-actions">
        {widerPresets(window, nowMs).map((ms) => (
          <button key={ms} type="button" class="button" onClick={() => onRange(lastRange(ms))}>
            {t('empty.widen', { duration: longDuration(ms) })}
          </button>
        ))}
        {newestOutside && (
          <button type="button" class="button" onClick={() => onRange(newestRange(newest))}>
            {t('empty.newest', { time: dateTimeText(Math.floor(newest / 1000) * 1000, zone) })}
          </button>
        )}
        {!everything && (
          <button type="button" class="button" onClick={() => onQuery('')}>
            {t('empty.clear')}
          </button>
        )}
      </div>
      {!everything && (
        <ul class="hint">
          <li>{t('empty.case')}</li>
          <li>{t('empty.or')}</li>
        </ul>
      )}
    </div>
  );
}

// A query that the server cannot read: the box says where, this says how to write one.
export function QueryRefused() {
  return (
    <div class="empty">
      <h2>{t('help.title')}</h2>
      <Examples />
    </div>
  );
}

export function LiveQuiet() {
  return (
    <div class="empty">
      <Icon name="empty" size={40} />
      <h2>{t('live.quiet')}</h2>
      <p>{t('live.quiet_text')}</p>
    </div>
  );
}

// A server without a logstore: how to send it a first row.
export function NoLogstores() {
  const { toaster } = useServices();
  const base = new URL('.', location.href.replace(/[?#].*$/, '')).href;
  const lines = [
    `curl -H "Authorization: Bearer $TOKEN" ${base}api/v1/projects -d '{"name":"default"}'`,
    `curl -H "Authorization: Bearer $TOKEN" ${base}api/v1/projects/default/logstores -d '{"name":"first","retention":"30d"}'`,
    `curl -H "Authorization: Bearer $TOKEN" ${base}api/v1/projects/default/logstores/first/rows -d '{"body":"hello"}'`,
  ];
  return (
    <div class="empty">
      <Icon name="store" size={40} />
      <h2>{t('store.none.title')}</h2>
      <p>{t('store.none.text')}</p>
      <div class="snippet">
        <pre>
          {lines.map((line) => (
            <Fragment key={line}>
              {line}
              {'\n'}
            </Fragment>
          ))}
        </pre>
        <button
          type="button"
          class="icon-button"
          aria-label={t('row.copy_body')}
          onClick={() => void copyText(lines.join('\n'), toaster)}
        >
          <Icon name="copy" />
        </button>
      </div>
    </div>
  );
}
