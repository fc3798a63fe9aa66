// Parts of a whole as a ring, with the list that can be read.
import { t } from '../../i18n/i18n';
import { shortNumber, slicesOf, type Plot } from '../../model/plot';
import { colourOf } from './colours';

const kSize = 180;
const kRadius = 64;
const kRing = 30;

export function PieChart({ plot, title }: { plot: Plot; title: string }) {
  const slices = slicesOf(plot, t('chart.other'));
  const around = 2 * Math.PI * kRadius;
  let before = 0;
  return (
    <div class="pie">
      <svg
        width={kSize}
        height={kSize}
        viewBox={`0 0 ${kSize} ${kSize}`}
        role="img"
        aria-label={t('chart.label', { title, n: 1, points: slices.length })}
      >
        {slices.map(({ name, share }, index) => {
          const start = before;
          before += share;
          return (
            <circle
              key={index}
              class={`slice stroke-${colourOf(name, index)}`}
              cx={kSize / 2}
              cy={kSize / 2}
              r={kRadius}
              stroke-width={kRing}
              stroke-dasharray={`${Math.max(0.5, share * around - 1.5)} ${around}`}
              transform={`rotate(${start * 360 - 90} ${kSize / 2} ${kSize / 2})`}
            />
          );
        })}
      </svg>
      <ul class="legend legend-list">
        {slices.map(({ name, value, share }, index) => (
          <li key={index}>
            <span class={`swatch back-${colourOf(name, index)}`} aria-hidden="true" />
            <span class="legend-name">{name || t('chart.no_name')}</span>
            <span class="legend-value">
              {shortNumber(value)} · {(share * 100).toFixed(share < 0.1 ? 1 : 0)}%
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
