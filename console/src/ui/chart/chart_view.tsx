// A result drawn as its reader wants it: table, line, bar, pie or single values.
import type { SqlAnswer } from '../../api/types';
import { t, tn } from '../../i18n/i18n';
import { cellText, plotOf, shortNumber, type Plot } from '../../model/plot';
import type { Zone } from '../../model/time';
import type { ChartKind } from '../../model/view';
import { colourOf } from './colours';
import { PieChart } from './pie_chart';
import { ResultTable, type OnCell } from './result_table';
import { XyChart } from './xy_chart';

interface Props {
  answer: SqlAnswer;
  kind: ChartKind;
  zone: Zone;
  height: number;
  title: string;
  onCell?: OnCell;
}

function Legend({ plot }: { plot: Plot }) {
  return (
    <ul class="legend">
      {plot.series.map(({ name }, index) => (
        <li key={name}>
          <span class={`swatch back-${colourOf(name, index)}`} aria-hidden="true" />
          <span class="legend-name">{name || t('chart.no_name')}</span>
        </li>
      ))}
    </ul>
  );
}

function LeftOut({ plot }: { plot: Plot }) {
  if (plot.seriesLeftOut + plot.xsLeftOut === 0) return null;
  return (
    <p class="hint">
      {plot.seriesLeftOut > 0 && tn('chart.series_left_out', plot.seriesLeftOut)}{' '}
      {plot.xsLeftOut > 0 && tn('chart.names_left_out', plot.xsLeftOut)}
    </p>
  );
}

// The numbers of the first row, large.
function SingleValues({ answer }: { answer: SqlAnswer }) {
  const row = answer.rows[0] ?? [];
  return (
    <dl class="values">
      {answer.columns.map(({ name, type }, index) => {
        const text = cellText(row[index] ?? null);
        const number = type === 'integer' || type === 'number' ? Number(text) : NaN;
        return (
          <div key={index}>
            <dd title={text}>
              {Number.isFinite(number) && text !== '' ? shortNumber(number) : text || '–'}
            </dd>
            <dt>{name}</dt>
          </div>
        );
      })}
    </dl>
  );
}

export function ChartView({ answer, kind, zone, height, title, onCell }: Props) {
  if (kind === 'table')
    return (
      <ResultTable answer={answer} zone={zone} title={title} {...(onCell ? { onCell } : {})} />
    );
  if (answer.rows.length === 0) return <p class="waiting">{t('chart.empty')}</p>;
  if (kind === 'value') return <SingleValues answer={answer} />;
  const plot = plotOf(answer);
  if (!plot || plot.series.length === 0) return <p class="waiting">{t('chart.no_numbers')}</p>;
  if (kind === 'pie') return <PieChart plot={plot} title={title} />;
  return (
    <>
      <XyChart plot={plot} kind={kind} zone={zone} height={height} title={title} />
      {plot.series.length > 1 && <Legend plot={plot} />}
      <LeftOut plot={plot} />
    </>
  );
}
