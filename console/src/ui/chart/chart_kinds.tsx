// The five ways to draw a result, one of which is chosen.
import { t } from '../../i18n/i18n';
import { kChartKinds, type ChartKind } from '../../model/view';
import { Icon, type IconName } from '../icon';

const kIcons: Record<ChartKind, IconName> = {
  table: 'table',
  line: 'line',
  bar: 'bars',
  pie: 'pie',
  value: 'value',
};

interface Props {
  value: ChartKind;
  onChange: (kind: ChartKind) => void;
}

export function ChartKinds({ value, onChange }: Props) {
  return (
    <div class="segmented" role="radiogroup" aria-label={t('chart.kind')}>
      {kChartKinds.map((kind) => (
        <label key={kind} class={kind === value ? 'chosen' : ''} data-chart={kind}>
          <input
            type="radio"
            name="chart-kind"
            checked={kind === value}
            onChange={() => onChange(kind)}
          />
          <Icon name={kIcons[kind]} size={14} />
          <span>{t(`chart.kind.${kind}`)}</span>
        </label>
      ))}
    </div>
  );
}
