// Chooses the time range: one click for the usual ones, two boxes for any other.
import { useState } from 'preact/hooks';
import { t, tn } from '../../i18n/i18n';
import { zoneText, type Zone } from '../../model/time';
import {
  boundInputText,
  boundText,
  durationParts,
  isRelative,
  kPresets,
  lastRange,
  parseBound,
  resolveRange,
  sameRange,
  windowText,
  type TimeRange,
} from '../../model/time_range';
import { Icon } from '../../ui/icon';
import { Popover } from '../../ui/popover';

interface Props {
  range: TimeRange;
  zone: Zone;
  now: () => number;
  onRange: (range: TimeRange) => void;
}

export function longDuration(ms: number): string {
  const { count, unit } = durationParts(ms);
  return tn(`unit.${unit}`, count);
}

// "Last 15 minutes", or both ends.
export function rangeText(range: TimeRange, zone: Zone): string {
  if (isRelative(range)) return t('range.last', { duration: longDuration(range.from.ms) });
  const { from, to } = range;
  if (from.kind === 'at' && to.kind === 'at') return windowText({ from: from.ms, to: to.ms }, zone);
  return `${boundInputText(from, zone)} – ${boundInputText(to, zone)}`;
}

interface BoxProps {
  id: string;
  label: string;
  value: string;
  problem: boolean;
  onInput: (value: string) => void;
}

function Box({ id, label, value, problem, onInput }: BoxProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        class="input mono"
        type="text"
        spellcheck={false}
        autoComplete="off"
        value={value}
        aria-invalid={problem}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </div>
  );
}

type PanelProps = Props & { close: () => void };

function ExactRange({ range, zone, now, onRange, close }: PanelProps) {
  const [from, setFrom] = useState(boundInputText(range.from, zone));
  const [to, setTo] = useState(boundInputText(range.to, zone));
  const [problem, setProblem] = useState<'' | 'from' | 'to' | 'order'>('');

  const apply = (event: Event) => {
    event.preventDefault();
    const first = parseBound(from, zone, now());
    const last = parseBound(to, zone, now());
    if (!first || !last) return setProblem(first ? 'to' : 'from');
    const window = resolveRange({ from: first, to: last }, now());
    if (window.from >= window.to) return setProblem('order');
    close();
    return onRange({ from: first, to: last });
  };
  return (
    <form class="exact" onSubmit={apply}>
      <h2>{t('range.exact')}</h2>
      <Box id="from" label={t('range.from')} value={from} problem={problem === 'from'} onInput={setFrom} />
      <Box id="to" label={t('range.to')} value={to} problem={problem === 'to'} onInput={setTo} />
      <p class="field-error" role="alert">
        {problem !== '' && t(problem === 'order' ? 'range.reversed' : 'range.invalid')}
      </p>
      <button type="submit" class="button button-primary button-wide">
        {t('range.apply')}
      </button>
      <p class="hint">
        {t('range.formats')}
        <br />
        {t('range.zone', { zone: zoneText(now(), zone) })}
      </p>
    </form>
  );
}

function Presets({ range, onRange, close }: PanelProps) {
  return (
    <div class="presets">
      <h2>{t('range.quick')}</h2>
      {kPresets.map((ms) => (
        <button
          key={ms}
          type="button"
          class="menu-item"
          aria-current={sameRange(range, lastRange(ms))}
          data-range={boundText({ kind: 'ago', ms })}
          onClick={() => {
            close();
            onRange(lastRange(ms));
          }}
        >
          {t('range.last', { duration: longDuration(ms) })}
        </button>
      ))}
    </div>
  );
}

export function TimePicker(props: Props) {
  const { range, zone } = props;
  const text = rangeText(range, zone);
  return (
    <Popover
      label={`${t('range.label')}: ${text}`}
      buttonClass="button picker"
      panelClass="panel-range"
      align="end"
      id="range-button"
      face={
        <>
          <Icon name="clock" />
          <span class="picker-name">{text}</span>
          <Icon name="down" size={14} />
        </>
      }
    >
      {(close) => (
        <div class="range">
          <Presets {...props} close={close} />
          <ExactRange {...props} close={close} />
        </div>
      )}
    </Popover>
  );
}
