// Lines or bars over time or over names, with a pointer that reads off all series at once. Arrow keys do the
// same.
import { useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/i18n';
import { timeTicks } from '../../model/histogram';
import { shortNumber, valueTicks, type Plot } from '../../model/plot';
import { dateTimeText, type Zone } from '../../model/time';
import { useWidth } from '../hooks';
import { colourOf } from './colours';

interface Props {
  plot: Plot;
  kind: 'line' | 'bar';
  zone: Zone;
  height: number;
  title: string;
}

const kLeft = 52;
const kRight = 12;
const kTop = 8;
const kBottom = 22;
const kTickPixels = 96;
const kBarPixelsMax = 64;
const kNamePixels = 7;

// Where things stand: pixels of a point and of a value.
interface Scale {
  width: number;
  height: number;
  x: (index: number) => number;
  y: (value: number) => number;
  band: number; // pixels that belong to one x
  low: number;
  high: number;
  ticks: number[];
}

// The span of time that a bar stands for: the smallest distance between two.
function timeStep(xs: ReadonlyArray<number | string>): number {
  let step = Infinity;
  for (let at = 1; at < xs.length; ++at) step = Math.min(step, Number(xs[at]) - Number(xs[at - 1]));
  return Number.isFinite(step) && step > 0 ? step : 1;
}

function stacked(plot: Plot, at: number): number {
  return plot.series.reduce((sum, { values }) => sum + Math.max(0, values[at] ?? 0), 0);
}

function scaleOf({ plot, kind, height }: Props, fullWidth: number): Scale {
  const all = plot.series.flatMap(({ values }) => values).filter((value) => value !== null);
  const tops = kind === 'bar' ? plot.xs.map((_, at) => stacked(plot, at)) : all;
  const ticks = valueTicks(Math.min(0, ...all), Math.max(...tops, 0) || 1, 4);
  const low = ticks[0]!;
  const high = ticks[ticks.length - 1]!;
  const width = Math.max(10, fullWidth - kLeft - kRight);
  const inner = height - kTop - kBottom;
  const count = Math.max(1, plot.xs.length);
  const first = Number(plot.xs[0]);
  const step = timeStep(plot.xs);
  const span = Number(plot.xs[count - 1]) - first + (kind === 'bar' ? step : 0) || 1;
  const band =
    plot.kind === 'time' ? (width * step) / (span + (kind === 'line' ? step : 0)) : width / count;
  const x = (index: number) =>
    plot.kind === 'time'
      ? kLeft + ((Number(plot.xs[index]) - first) / span) * width + (kind === 'bar' ? band / 2 : 0)
      : kLeft + (index + 0.5) * band;
  return {
    width,
    height,
    x,
    y: (value) => kTop + inner * (1 - (value - low) / (high - low)),
    band,
    low,
    high,
    ticks,
  };
}

function TimeLabels({
  plot,
  scale,
  kind,
  zone,
}: {
  plot: Plot;
  scale: Scale;
  kind: string;
  zone: Zone;
}) {
  const from = Number(plot.xs[0]);
  const last = Number(plot.xs[plot.xs.length - 1]);
  const to = kind === 'bar' ? last + timeStep(plot.xs) : last;
  const ticks = timeTicks(
    { from, to: Math.max(to, from + 1) },
    Math.max(2, Math.floor(scale.width / kTickPixels)),
    zone,
  );
  return (
    <>
      {ticks.map(({ time, text, strong }) => {
        const x = kLeft + ((time - from) / Math.max(1, to - from)) * scale.width;
        return (
          <text key={time} class={strong ? 'tick tick-strong' : 'tick'} x={x} y={scale.height - 6}>
            {text}
          </text>
        );
      })}
    </>
  );
}

function NameLabels({ plot, scale }: { plot: Plot; scale: Scale }) {
  const letters = Math.floor(scale.band / kNamePixels);
  // Names that would be cut to a few letters help nobody; the tip says them.
  if (letters < 3) return null;
  return (
    <>
      {plot.xs.map((name, at) => {
        const text = String(name);
        const shown = text.length > letters ? `${text.slice(0, letters - 1)}…` : text;
        return (
          <text key={at} class="tick" x={scale.x(at)} y={scale.height - 6}>
            {shown}
          </text>
        );
      })}
    </>
  );
}

function Axes({ scale }: { scale: Scale }) {
  const right = kLeft + scale.width;
  return (
    <>
      {scale.ticks.map((value) => (
        <g key={value}>
          <line
            class={value === 0 ? 'axis' : 'grid'}
            x1={kLeft}
            x2={right}
            y1={scale.y(value)}
            y2={scale.y(value)}
          />
          <text class="tick tick-value" x={kLeft - 8} y={scale.y(value) + 4}>
            {shortNumber(value)}
          </text>
        </g>
      ))}
    </>
  );
}

function Lines({ plot, scale }: { plot: Plot; scale: Scale }) {
  return (
    <>
      {plot.series.map(({ name, values }, index) => {
        const points = values
          .map((value, at) =>
            value === null ? null : `${scale.x(at).toFixed(1)},${scale.y(value).toFixed(1)}`,
          )
          .filter((point) => point !== null);
        const colour = colourOf(name, index);
        if (points.length === 1) {
          const [cx, cy] = points[0]!.split(',');
          return <circle key={name} class={`dot fill-${colour}`} cx={cx} cy={cy} r="3.5" />;
        }
        return <polyline key={name} class={`curve stroke-${colour}`} points={points.join(' ')} />;
      })}
    </>
  );
}

function Bars({ plot, scale }: { plot: Plot; scale: Scale }) {
  const wide = Math.max(1, Math.min(kBarPixelsMax, scale.band * 0.78));
  return (
    <>
      {plot.xs.map((_, at) => {
        let top = 0;
        let bottom = 0;
        return plot.series.map(({ name, values }, index) => {
          const value = values[at] ?? 0;
          if (value === 0) return null;
          const from = value > 0 ? top : bottom;
          if (value > 0) top += value;
          else bottom += value;
          const y = scale.y(Math.max(from, from + value));
          const height = Math.max(1, Math.abs(scale.y(from) - scale.y(from + value)));
          return (
            <rect
              key={name}
              class={`fill-${colourOf(name, index)}`}
              x={scale.x(at) - wide / 2}
              y={y}
              width={wide}
              height={height}
            />
          );
        });
      })}
    </>
  );
}

function Tip({ plot, at, left, zone }: { plot: Plot; at: number; left: number; zone: Zone }) {
  const x = plot.xs[at]!;
  return (
    <div class="tip chart-tip" style={{ left: `${left}px` }} role="status">
      <strong>{plot.kind === 'time' ? dateTimeText(Number(x), zone) : String(x)}</strong>
      {plot.series.map(({ name, values }, index) =>
        values[at] === null ? null : (
          <span key={name} class="tip-line">
            <span class={`swatch back-${colourOf(name, index)}`} aria-hidden="true" />
            <span class="tip-name">{name}</span>
            <span class="tip-value">{shortNumber(values[at]!)}</span>
          </span>
        ),
      )}
    </div>
  );
}

export function XyChart(props: Props) {
  const { plot, kind, zone, height, title } = props;
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [active, setActive] = useState(-1);
  const last = plot.xs.length - 1;
  const scale = scaleOf(props, width);

  const onPointerMove = (event: PointerEvent) => {
    const left = (event.currentTarget as Element).getBoundingClientRect().left;
    const x = event.clientX - left;
    let nearest = 0;
    for (let at = 1; at <= last; ++at) {
      if (Math.abs(scale.x(at) - x) < Math.abs(scale.x(nearest) - x)) nearest = at;
    }
    setActive(nearest);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    event.preventDefault();
    const step = event.key === 'ArrowLeft' ? -1 : 1;
    setActive(active < 0 ? last : Math.max(0, Math.min(last, active + step)));
  };
  const shown = Math.min(active, last);
  return (
    <div class="chart" ref={box}>
      {width > 0 && (
        <svg
          width={width}
          height={height}
          role="img"
          tabIndex={0}
          aria-label={t('chart.label', { title, n: plot.series.length, points: plot.xs.length })}
          onPointerMove={onPointerMove}
          onPointerLeave={() => setActive(-1)}
          onKeyDown={onKeyDown}
          onBlur={() => setActive(-1)}
        >
          <Axes scale={scale} />
          {plot.kind === 'time' ? (
            <TimeLabels plot={plot} scale={scale} kind={kind} zone={zone} />
          ) : (
            <NameLabels plot={plot} scale={scale} />
          )}
          {shown >= 0 && (
            <line
              class="chart-cursor"
              x1={scale.x(shown)}
              x2={scale.x(shown)}
              y1={kTop}
              y2={height - kBottom}
            />
          )}
          {kind === 'bar' ? (
            <Bars plot={plot} scale={scale} />
          ) : (
            <Lines plot={plot} scale={scale} />
          )}
        </svg>
      )}
      {shown >= 0 && width > 0 && (
        <Tip
          plot={plot}
          at={shown}
          zone={zone}
          left={Math.max(110, Math.min(width - 110, scale.x(shown)))}
        />
      )}
    </div>
  );
}
