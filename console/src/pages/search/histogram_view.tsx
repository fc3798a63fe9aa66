// Draws the histogram and turns a drag, a click or the keyboard into a narrower time range.
import type { TargetedPointerEvent } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { t, tn } from '../../i18n/i18n';
import {
  barAt,
  barWindow,
  dragWindow,
  niceMax,
  timeTicks,
  type Histogram,
} from '../../model/histogram';
import { compactCount, countText } from '../../model/number';
import { dateTimeText, type Zone } from '../../model/time';
import { spanText, windowText, type Window } from '../../model/time_range';
import { useWidth } from '../../ui/hooks';

interface Props {
  histogram: Histogram | null;
  window: Window | null;
  counting: boolean;
  live: boolean;
  zone: Zone;
  onZoom: (window: Window) => void;
}

const kHeight = 96;
const kAxisHeight = 20;
const kPlotTop = 6;
const kTickPixels = 92;
// A pointer that moved less than this clicked.
const kDragPixelsMin = 4;
// Even a bar of one row among millions can be seen.
const kBarHeightMin = 2;

interface Selection {
  anchor: number; // fractions of the width
  head: number;
}

interface LevelPartsProps {
  histogram: Histogram;
  index: number;
  x: number;
  width: number;
  height: number; // of the whole bar
}

// Errors from the axis up, warnings above them; the rest of the bar keeps its colour.
function LevelParts({ histogram, index, x, width, height }: LevelPartsProps) {
  const count = histogram.counts[index]!;
  let below = 0;
  return (
    <>
      {(['error', 'warn'] as const).map((level) => {
        const rows = Math.min(histogram.levels?.[level][index] ?? 0, count);
        if (rows === 0) return null;
        const part = Math.min(height - below, Math.max(kBarHeightMin, (rows / count) * height));
        below += part;
        return (
          <rect
            key={level}
            class={`bar-${level}`}
            x={x}
            y={kHeight - below}
            width={width}
            height={part}
          />
        );
      })}
    </>
  );
}

function Bars({
  histogram,
  width,
  active,
}: {
  histogram: Histogram;
  width: number;
  active: number;
}) {
  const top = niceMax(Math.max(...histogram.counts, 1));
  const scale = (kHeight - kPlotTop) / top;
  const perMs = width / (histogram.to - histogram.from);
  return (
    <>
      {histogram.counts.map((count, index) => {
        if (count === 0) return null;
        const bar = barWindow(histogram, index);
        const left = (bar.from - histogram.from) * perMs;
        const wide = (bar.to - bar.from) * perMs;
        const gap = wide > 5 ? 1.5 : 0.5;
        const height = Math.max(kBarHeightMin, count * scale);
        const x = left + gap / 2;
        const barWidth = Math.max(1, wide - gap);
        return (
          <g key={index}>
            <rect
              class={index === active ? 'bar bar-active' : 'bar'}
              x={x}
              y={kHeight - height}
              width={barWidth}
              height={height}
              rx={wide > 8 ? 1.5 : 0}
            />
            <LevelParts
              histogram={histogram}
              index={index}
              x={x}
              width={barWidth}
              height={height}
            />
          </g>
        );
      })}
    </>
  );
}

function Grid({
  window,
  width,
  top,
  zone,
}: {
  window: Window;
  width: number;
  top: number;
  zone: Zone;
}) {
  const perMs = width / (window.to - window.from);
  const ticks = timeTicks(window, Math.max(2, Math.floor(width / kTickPixels)), zone);
  const middle = kHeight - (kHeight - kPlotTop) / 2;
  return (
    <>
      <line class="grid" x1="0" x2={width} y1={kPlotTop} y2={kPlotTop} />
      <line class="grid" x1="0" x2={width} y1={middle} y2={middle} />
      <line class="axis" x1="0" x2={width} y1={kHeight} y2={kHeight} />
      {ticks.map(({ time, text, strong }) => {
        const x = (time - window.from) * perMs;
        // A label that would be cut at either edge is left out; its mark stays.
        const fits = x > 18 && x < width - 18;
        return (
          <g key={time}>
            <line class="axis" x1={x} x2={x} y1={kHeight} y2={kHeight + 4} />
            {fits && (
              <text class={strong ? 'tick tick-strong' : 'tick'} x={x} y={kHeight + 16}>
                {text}
              </text>
            )}
          </g>
        );
      })}
      {top > 0 && (
        <text class="count-tick" x="4" y={kPlotTop + 12}>
          {compactCount(top)}
        </text>
      )}
    </>
  );
}

interface TipProps {
  histogram: Histogram;
  index: number;
  selection: Selection | null;
  width: number;
  zone: Zone;
}

function Tip({ histogram, index, selection, width, zone }: TipProps) {
  const window = selection
    ? dragWindow(histogram, selection.anchor, selection.head)
    : barWindow(histogram, index);
  const first = barAt(histogram, (window.from - histogram.from) / (histogram.to - histogram.from));
  let last = first;
  while (last < histogram.counts.length && barWindow(histogram, last).from < window.to) ++last;
  const sumOf = (counts: readonly number[]) =>
    counts.slice(first, last).reduce((all, rows) => all + rows, 0);
  const count = sumOf(histogram.counts);
  const middle = (window.from + window.to) / 2;
  const x = ((middle - histogram.from) / (histogram.to - histogram.from)) * width;
  const left = Math.max(110, Math.min(width - 110, x));
  return (
    <div class="tip" style={{ left: `${left}px` }} role="status">
      <strong>{tn('histogram.rows', count, countText(count))}</strong>
      {histogram.levels &&
        (['error', 'warn'] as const).map((level) => {
          const rows = sumOf(histogram.levels![level]);
          return rows === 0 ? null : (
            <span key={level} class={`tip-level level-${level}`}>
              {t(`level.${level}`)}: {countText(rows)}
            </span>
          );
        })}
      <span>{windowText(window, zone)}</span>
      {selection && (
        <span class="muted">
          {t('histogram.zoom', { span: spanText(window.to - window.from) })}
        </span>
      )}
    </div>
  );
}

// Pointer and keyboard on the plot: which bar is meant, which range is being drawn.
function useSelection(histogram: Histogram | null, onZoom: (window: Window) => void) {
  const [active, setActive] = useState(-1);
  const [selection, setSelection] = useState<Selection | null>(null);
  const pressed = useRef<number | null>(null);

  const fractionOf = (event: TargetedPointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.max(0, Math.min(0.999999, (event.clientX - box.left) / box.width));
  };
  const clear = () => {
    pressed.current = null;
    setSelection(null);
    setActive(-1);
  };
  const zoom = (window: Window) => {
    clear();
    // A bar of a millisecond cannot be cut any further.
    if (window.to - window.from >= 1) onZoom(window);
  };
  const pointer = {
    onPointerDown: (event: TargetedPointerEvent<SVGSVGElement>) => {
      if (!histogram || event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      pressed.current = fractionOf(event);
    },
    onPointerMove: (event: TargetedPointerEvent<SVGSVGElement>) => {
      if (!histogram) return;
      const head = fractionOf(event);
      setActive(barAt(histogram, head));
      const anchor = pressed.current;
      if (anchor === null) return;
      const moved = Math.abs(head - anchor) * event.currentTarget.getBoundingClientRect().width;
      if (moved >= kDragPixelsMin || selection) setSelection({ anchor, head });
    },
    onPointerUp: (event: TargetedPointerEvent<SVGSVGElement>) => {
      const anchor = pressed.current;
      pressed.current = null;
      if (!histogram || anchor === null) return;
      if (selection) zoom(dragWindow(histogram, anchor, fractionOf(event)));
      else if (event.pointerType === 'mouse') zoom(barWindow(histogram, barAt(histogram, anchor)));
    },
    onPointerCancel: clear,
    onPointerLeave: () => pressed.current === null && clear(),
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!histogram || histogram.counts.length === 0) return;
    const last = histogram.counts.length - 1;
    const centre = (bar: number) => (bar + 0.5) / (last + 1);
    if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      event.preventDefault();
      const step = event.key === 'ArrowLeft' ? -1 : 1;
      const next = active < 0 ? last : Math.max(0, Math.min(last, active + step));
      setActive(next);
      const anchor = selection?.anchor ?? centre(active < 0 ? next : active);
      setSelection(event.shiftKey ? { anchor, head: centre(next) } : null);
    } else if (event.key === 'Enter' && active >= 0) {
      event.preventDefault();
      event.stopPropagation();
      zoom(
        selection
          ? dragWindow(histogram, selection.anchor, selection.head)
          : barWindow(histogram, active),
      );
    } else if (event.key === 'Escape' && (selection || active >= 0)) {
      event.stopPropagation();
      clear();
    }
  };
  return { active, selection, pointer, onKeyDown, clear };
}

// A press on the plot takes the focus from the search box without drawing a ring around the plot.
function leaveFocus(event: MouseEvent): void {
  event.preventDefault();
  (document.activeElement as HTMLElement | null)?.blur();
}

export function HistogramView({ histogram, window, counting, live, zone, onZoom }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const { active, selection, pointer, onKeyDown, clear } = useSelection(histogram, onZoom);
  const range = histogram ?? window;
  const label = histogram
    ? t('histogram.label', {
        total: countText(histogram.total),
        from: dateTimeText(histogram.from, zone),
        to: dateTimeText(histogram.to, zone),
      })
    : t('stats.running');
  const marked =
    selection && histogram ? dragWindow(histogram, selection.anchor, selection.head) : null;
  const x = (time: number) => (range ? ((time - range.from) / (range.to - range.from)) * width : 0);
  return (
    <div class={`histogram ${counting && !live ? 'histogram-counting' : ''}`} ref={box}>
      {width > 0 && range && (
        <svg
          width={width}
          height={kHeight + kAxisHeight}
          role="img"
          tabIndex={0}
          aria-label={`${label}. ${t('histogram.keys')}`}
          onKeyDown={onKeyDown}
          onMouseDown={leaveFocus}
          onBlur={clear}
          {...pointer}
        >
          <Grid
            window={range}
            width={width}
            top={histogram && histogram.total > 0 ? niceMax(Math.max(...histogram.counts)) : 0}
            zone={zone}
          />
          {histogram && <Bars histogram={histogram} width={width} active={active} />}
          {marked && (
            <rect
              class="selection"
              x={x(marked.from)}
              y={kPlotTop}
              width={Math.max(1, x(marked.to) - x(marked.from))}
              height={kHeight - kPlotTop}
            />
          )}
        </svg>
      )}
      {histogram && histogram.total === 0 && !counting && !live && (
        <p class="histogram-empty">{t('histogram.empty')}</p>
      )}
      {histogram && active >= 0 && (
        <Tip histogram={histogram} index={active} selection={selection} width={width} zone={zone} />
      )}
    </div>
  );
}
