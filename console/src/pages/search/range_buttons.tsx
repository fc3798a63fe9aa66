// Earlier, later, and out again.
import { t } from '../../i18n/i18n';
import {
  absoluteRange,
  shiftWindow,
  widenWindow,
  type TimeRange,
  type Window,
} from '../../model/time_range';
import { Icon } from '../../ui/icon';

interface RangeButtonsProps {
  window: Window;
  now: () => number;
  onRange: (range: TimeRange) => void;
}

export function RangeButtons({ window: shown, now, onRange }: RangeButtonsProps) {
  const go = ({ from, to }: Window) => onRange(absoluteRange(from, to));
  const buttons = [
    ['left', 'range.earlier', () => go(shiftWindow(shown, -1))],
    ['zoomOut', 'range.widen', () => go(widenWindow(shown, now()))],
    ['right', 'range.later', () => go(shiftWindow(shown, 1))],
  ] as const;
  return (
    <span class="range-buttons">
      {buttons.map(([icon, text, run]) => (
        <button
          key={icon}
          type="button"
          class="icon-button"
          aria-label={t(text)}
          title={t(text)}
          onClick={run}
        >
          <Icon name={icon} />
        </button>
      ))}
    </span>
  );
}
