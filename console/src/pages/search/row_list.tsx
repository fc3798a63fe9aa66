// The rows, newest first, chunk by chunk; the browser skips drawing chunks that are out of sight.
// Older rows load when the end comes near.
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../../i18n/i18n';
import { countText } from '../../model/number';
import { dateText, type Zone } from '../../model/time';
import { memo } from '../../ui/memo';
import { RowItem, type RowItemProps } from './row_item';
import type { Chunk, RowStore } from './row_store';

type Shared = Omit<RowItemProps, 'view'>;

interface Props extends Shared {
  rows: RowStore;
  stale: boolean;
  wrap: boolean;
  hasMore: boolean;
  loadingMore: boolean;
  atCap: boolean;
  // Nothing follows: say so.
  complete: boolean;
  onMore: () => void;
}

// How far before the end the next rows are asked for.
const kLoadAhead = '900px';

const ChunkView = memo(function ChunkView({ chunk, ...shared }: Shared & { chunk: Chunk }) {
  return (
    <div class="chunk" role="presentation">
      {chunk.rows.map((view) => (
        <RowItem key={view.id} view={view} {...shared} />
      ))}
    </div>
  );
});

function Foot({ hasMore, loadingMore, atCap, complete, onMore, rows }: Props) {
  const foot = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!hasMore || loadingMore || !foot.current) return undefined;
    // A new observer for each page of rows fires again when the end is still in sight.
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && onMore(),
      { rootMargin: kLoadAhead },
    );
    observer.observe(foot.current);
    return () => observer.disconnect();
  }, [hasMore, loadingMore, rows.count]);
  return (
    <div class="foot" ref={foot}>
      {atCap && <p>{t('rows.cap', { n: countText(rows.count) })}</p>}
      {loadingMore && <p>{t('rows.loading')}</p>}
      {hasMore && !loadingMore && (
        <button type="button" class="button" onClick={onMore}>
          {t('rows.more')}
        </button>
      )}
      {complete && <p>{t('rows.end')}</p>}
    </div>
  );
}

// Whether the rows shown lie on more than one day, or on another day than today.
export function needsDate(rows: RowStore, zone: Zone, nowMs: number): boolean {
  const first = rows.chunks[0]?.rows[0];
  const last = rows.chunks[rows.chunks.length - 1]?.rows;
  const oldest = last?.[last.length - 1];
  if (!first || !oldest) return false;
  const today = dateText(nowMs, zone);
  return dateText(first.ms, zone) !== today || dateText(oldest.ms, zone) !== today;
}

export function RowList(props: Props) {
  const { rows, stale, wrap, zone, withDate, pattern, onTerm, onAround, onFold } = props;
  const shared: Shared = { zone, withDate, pattern, onTerm, onAround, onFold };
  const classes = ['rows', wrap ? 'rows-wrap' : '', stale ? 'rows-stale' : ''];
  return (
    <div class={classes.join(' ')} id="rows" tabIndex={-1}>
      <div role="list" aria-label={t('rows.label')} aria-busy={stale}>
        {rows.chunks.map((chunk) => (
          <ChunkView key={chunk.id} chunk={chunk} {...shared} />
        ))}
      </div>
      <Foot {...props} />
    </div>
  );
}

// Keyboard movement over the rows; the focused fold button is the current row.
function foldButtons(): HTMLButtonElement[] {
  return Array.from(document.querySelectorAll<HTMLButtonElement>('#rows .row-fold'));
}

export function moveRow(to: 'next' | 'previous' | 'first' | 'last'): void {
  const buttons = foldButtons();
  if (buttons.length === 0) return;
  const current = document.activeElement?.closest('.row')?.querySelector('.row-fold');
  const at = current ? buttons.indexOf(current as HTMLButtonElement) : -1;
  const last = buttons.length - 1;
  const target =
    to === 'first' ? 0 : to === 'last' ? last : at < 0 ? 0 : at + (to === 'next' ? 1 : -1);
  const button = buttons[Math.max(0, Math.min(last, target))]!;
  button.focus({ preventScroll: true });
  button.closest('.row')!.scrollIntoView({ block: 'nearest' });
}

// The row that has the focus, or a part of it; null when none has.
export function focusedRow(): { open: boolean; toggle: () => void } | null {
  const row = document.activeElement?.closest('#rows .row');
  const button = row?.querySelector<HTMLButtonElement>('.row-fold');
  if (!button) return null;
  return {
    open: button.getAttribute('aria-expanded') === 'true',
    toggle: () => {
      button.focus({ preventScroll: true });
      button.click();
    },
  };
}
