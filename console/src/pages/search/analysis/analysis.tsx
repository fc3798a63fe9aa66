// The result of a statement: how it is drawn, and the drawing. Loaded when a query first contains a `|`.
import type { Json, SqlAnswer } from '../../../api/types';
import { t, tn } from '../../../i18n/i18n';
import { countText } from '../../../model/number';
import { cellText, proposedKind } from '../../../model/plot';
import { exactTerm } from '../../../model/query_text';
import type { Zone } from '../../../model/time';
import type { ChartKind } from '../../../model/view';
import { copyText, useServices } from '../../../state/services';
import { ChartKinds } from '../../../ui/chart/chart_kinds';
import { ChartView } from '../../../ui/chart/chart_view';
import { Icon } from '../../../ui/icon';
import { csvText } from '../../../model/csv';

export interface AnalysisProps {
  answer: SqlAnswer;
  chart: ChartKind | null;
  zone: Zone;
  stale: boolean;
  onChart: (chart: ChartKind | null) => void;
  onTerm: (term: string, how: 'include' | 'exclude') => void;
}

const kChartHeight = 320;

export function Analysis({ answer, chart, zone, stale, onChart, onTerm }: AnalysisProps) {
  const { toaster } = useServices();
  const proposed = proposedKind(answer);
  const kind = chart ?? proposed;
  const onCell = (column: string, value: Json, how: 'include' | 'exclude') => {
    const term = exactTerm(column, value);
    if (term) onTerm(term, how);
  };
  const copy = () => {
    const names = answer.columns.map(({ name }) => name);
    const rows = answer.rows.map((row) => row.map(cellText));
    void copyText(csvText([names, ...rows]), toaster);
  };
  return (
    <section
      class={`analysis ${stale ? 'rows-stale' : ''}`}
      id="analysis"
      aria-label={t('chart.result')}
    >
      <div class="analysis-bar">
        <ChartKinds value={kind} onChange={(next) => onChart(next === proposed ? null : next)} />
        <span class="hint">
          {tn('stats.found', answer.rows.length, countText(answer.rows.length))}
          {answer.more && ` · ${t('chart.more')}`}
        </span>
        <span class="grow" />
        <button type="button" class="button button-small" onClick={copy}>
          <Icon name="copy" size={14} />
          {t('chart.copy_csv')}
        </button>
      </div>
      <ChartView
        answer={answer}
        kind={kind}
        zone={zone}
        height={kChartHeight}
        title={t('chart.result')}
        onCell={onCell}
      />
    </section>
  );
}
