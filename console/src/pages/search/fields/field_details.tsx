// One field of the list, unfolded: frequent values, spread of numbers, and what to do with them.
import type { FieldNumbers, FieldStat } from '../../../api/statistics';
import { t, tn } from '../../../i18n/i18n';
import { compactCount, countText } from '../../../model/number';
import { shortNumber } from '../../../model/plot';
import { canName, exactTerm, joinQuery, presenceTerm, splitQuery } from '../../../model/query_text';
import { Icon, type IconName } from '../../../ui/icon';

interface Props {
  field: FieldStat;
  query: string;
  columns: readonly string[];
  onTerm: (term: string, how: 'include' | 'exclude') => void;
  onPin: (name: string) => void;
  onQuery: (query: string) => void;
}

const kPlotWidth = 200;
const kPlotHeight = 44;

// How the numbers are spread, as small bars.
function Spread({ numbers, name }: { numbers: FieldNumbers; name: string }) {
  const bars = numbers.histogram;
  const top = Math.max(1, ...bars.map(({ rows }) => rows));
  const wide = kPlotWidth / Math.max(1, bars.length);
  return (
    <>
      {bars.length > 1 && (
        <svg
          class="spread"
          viewBox={`0 0 ${kPlotWidth} ${kPlotHeight}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={t('fields.spread', {
            name,
            low: shortNumber(numbers.min),
            high: shortNumber(numbers.max),
          })}
        >
          {bars.map(({ from, to, rows }, index) => {
            const height = rows === 0 ? 0 : Math.max(1.5, (rows / top) * kPlotHeight);
            return (
              <rect
                key={index}
                class="bar"
                x={index * wide + 0.5}
                y={kPlotHeight - height}
                width={Math.max(0.5, wide - 1)}
                height={height}
              >
                <title>{`${shortNumber(from)} – ${shortNumber(to)}: ${countText(rows)}`}</title>
              </rect>
            );
          })}
        </svg>
      )}
      <dl class="figures">
        {(['min', 'p50', 'mean', 'p90', 'p99', 'max'] as const).map((key) => (
          <div key={key}>
            <dt>{t(`fields.${key}`)}</dt>
            <dd>{shortNumber(numbers[key])}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Small({
  icon,
  label,
  onClick,
  pressed,
}: {
  icon: IconName;
  label: string;
  onClick: () => void;
  pressed?: boolean;
}) {
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      onClick={onClick}
    >
      <Icon name={icon} size={14} />
    </button>
  );
}

function Values({ field, onTerm }: Pick<Props, 'field' | 'onTerm'>) {
  const { name } = field;
  return (
    <ul class="top-values">
      {field.top.slice(0, 10).map(({ value, rows }) => {
        const share = field.rows > 0 ? rows / field.rows : 0;
        const term = exactTerm(name, value);
        return (
          <li key={value} title={`${value}: ${countText(rows)}`}>
            <span class="top-value">
              <span
                class="top-bar"
                style={{ width: `${(share * 100).toFixed(1)}%` }}
                aria-hidden="true"
              />
              <span class="top-text">{value === '' ? t('fields.empty_value') : value}</span>
              <span class="top-share">{share < 0.01 ? '<1' : Math.round(share * 100)}%</span>
            </span>
            {term && (
              <span class="top-actions">
                <Small
                  icon="plus"
                  label={t('row.include', { name: `${name} ${value}` })}
                  onClick={() => onTerm(term, 'include')}
                />
                <Small
                  icon="minus"
                  label={t('row.exclude', { name: `${name} ${value}` })}
                  onClick={() => onTerm(term, 'exclude')}
                />
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}

export function FieldDetails({ field, query, columns, onTerm, onPin, onQuery }: Props) {
  const { name } = field;
  const present = canName(name) ? presenceTerm(name) : null;
  const pinned = columns.includes(name);
  const top = () => {
    const quoted = /^[A-Za-z_][\w.]*$/.test(name) ? name : `"${name.replace(/"/g, '""')}"`;
    onQuery(joinQuery({ search: splitQuery(query).search, statement: `top 20 ${quoted}` }));
  };
  return (
    <div class="field-details">
      <div class="field-bar">
        <span class="hint">
          {tn(
            'fields.distinct',
            field.distinct,
            `${field.distinct_exact ? '' : '≈'}${compactCount(field.distinct)}`,
          )}
        </span>
        <span class="grow" />
        {present && (
          <Small
            icon="exists"
            label={t('row.present', { name })}
            onClick={() => onTerm(present, 'include')}
          />
        )}
        <Small
          icon="pin"
          pressed={pinned}
          label={t(pinned ? 'row.unpin' : 'row.pin', { name })}
          onClick={() => onPin(name)}
        />
        <Small icon="bars" label={t('fields.chart', { name })} onClick={top} />
      </div>
      {field.numbers && <Spread numbers={field.numbers} name={name} />}
      <Values field={field} onTerm={onTerm} />
    </div>
  );
}
