// The rows, newest first, chunk by chunk. Only chunks near the screen are drawn; the others are an empty box
// of their height, so that a hundred thousand rows scroll like a hundred. Older rows load when the end comes
// near.
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/i18n';
import { countText } from '../../model/number';
import { dateText, type Zone } from '../../model/time';
import { Icon } from '../../ui/icon';
import { memo } from '../../ui/memo';
import { watchNear } from '../../ui/near';
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
// The height of a folded row, for chunks that were never drawn.
const kRowPixels = 26;

const ChunkView = memo(function ChunkView({
  chunk,
  first,
  ...shared
}: Shared & { chunk: Chunk; first: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const height = useRef(chunk.rows.length * kRowPixels);
  const [near, setNear] = useState(first);
  useEffect(
    () =>
      watchNear(box.current!, (isNear, pixels) => {
        // What has the focus stays, or the focus would be lost.
        if (!isNear && box.current?.contains(document.activeElement)) return;
        if (!isNear && pixels > 0) height.current = pixels;
        setNear(isNear);
      }),
    [],
  );
  return (
    <div
      class="chunk"
      ref={box}
      role="presentation"
      style={{ height: near ? '' : `${height.current}px` }}
    >
      {near && chunk.rows.map((view) => <RowItem key={view.id} view={view} {...shared} />)}
    </div>
  );
});

// Names of the pinned columns above the rows, with what takes them away again.
function ColumnHeads({
  columns,
  actions,
  withDate,
}: Pick<Shared, 'columns' | 'actions' | 'withDate'>) {
  if (columns.length === 0) return null;
  return (
    <div class="column-heads">
      <span class={`column-gap ${withDate ? 'column-gap-date' : ''}`} />
      {columns.map((name) => (
        <span key={name} class="row-column column-head" title={name}>
          <span class="column-name">{name}</span>
          <button
            type="button"
            class="icon-button"
            aria-label={t('row.unpin', { name })}
            title={t('row.unpin', { name })}
            onClick={() => actions.onPin(name)}
          >
            <Icon name="close" size={12} />
          </button>
        </span>
      ))}
    </div>
  );
}

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
  const { rows, stale, wrap, zone, withDate, pattern, columns, actions } = props;
  const shared: Shared = { zone, withDate, pattern, columns, actions };
  const classes = ['rows', wrap ? 'rows-wrap' : '', stale ? 'rows-stale' : ''];
  return (
    <div class={classes.join(' ')} id="rows" tabIndex={-1} data-count={rows.count}>
      <ColumnHeads {...shared} />
      <div role="list" aria-label={t('rows.label')} aria-busy={stale}>
        {rows.chunks.map((chunk, index) => (
          <ChunkView key={chunk.id} chunk={chunk} first={index === 0} {...shared} />
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

// Frames until the chunk at an end that was scrolled to is drawn.
const kFramesMax = 20;

function focusButton(button: HTMLButtonElement): void {
  button.focus({ preventScroll: true });
  button.closest('.row')!.scrollIntoView({ block: 'nearest' });
}

// Scrolls to the first or last chunk and goes to its first or last row once it is drawn.
function moveToEnd(end: 'first' | 'last', frames = kFramesMax): void {
  const chunks = document.querySelectorAll('#rows .chunk');
  const chunk = chunks[end === 'first' ? 0 : chunks.length - 1];
  if (!chunk) return;
  chunk.scrollIntoView({ block: end === 'first' ? 'start' : 'end' });
  const buttons = chunk.querySelectorAll<HTMLButtonElement>('.row-fold');
  const button = buttons[end === 'first' ? 0 : buttons.length - 1];
  if (button) focusButton(button);
  else if (frames > 0) requestAnimationFrame(() => moveToEnd(end, frames - 1));
}

export function moveRow(to: 'next' | 'previous' | 'first' | 'last'): void {
  if (to === 'first' || to === 'last') return moveToEnd(to);
  const buttons = foldButtons();
  if (buttons.length === 0) return;
  const current = document.activeElement?.closest('.row')?.querySelector('.row-fold');
  const at = current ? buttons.indexOf(current as HTMLButtonElement) : -1;
  const target = at < 0 ? 0 : at + (to === 'next' ? 1 : -1);
  focusButton(buttons[Math.max(0, Math.min(buttons.length - 1, target))]!);
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
