// A result as a table whose columns sort. Where the caller gives `onCell`, a cell that names a value of the
// rows narrows the search.
import { useMemo, useState } from 'preact/hooks';
import type { Json, SqlAnswer, SqlColumn } from '../../api/types';
import { t } from '../../i18n/i18n';
import { cellText } from '../../model/plot';
import { dateTimeText, serverTime, type Zone } from '../../model/time';
import { Icon } from '../icon';

export type OnCell = (column: string, value: Json, how: 'include' | 'exclude') => void;

interface Props {
  answer: SqlAnswer;
  zone: Zone;
  title: string;
  onCell?: OnCell;
}

interface Order {
  column: number;
  down: boolean;
}

function isNumeric({ type }: SqlColumn): boolean {
  return type === 'integer' || type === 'number';
}

function compare(a: Json, b: Json, numeric: boolean): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (numeric) return Number(a) - Number(b);
  const [x, y] = [cellText(a), cellText(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

function shown(value: Json, column: SqlColumn, zone: Zone): string {
  if (value === null) return '';
  if (column.type === 'time') {
    const ms = serverTime(value);
    if (!Number.isNaN(ms)) return dateTimeText(ms, zone);
  }
  const text = cellText(value);
  return isNumeric(column) ? groupedNumber(text) : text;
}

// Whole numbers with separators as they are, others to six digits; the title has all of them.
function groupedNumber(text: string): string {
  if (/^-?\d+$/.test(text)) return text.replace(/\B(?=(\d{3})+$)/g, ',');
  const number = Number(text);
  return Number.isFinite(number) ? String(Number(number.toPrecision(6))) : text;
}

interface CellProps {
  value: Json;
  column: SqlColumn;
  zone: Zone;
  // Null: the column holds figures, not values of rows.
  onCell: OnCell | null;
}

function Cell({ value, column, zone, onCell }: CellProps) {
  const text = shown(value, column, zone);
  const narrows = onCell && value !== null && ['text', 'integer', 'boolean'].includes(column.type);
  return (
    <td
      class={isNumeric(column) ? 'cell-number' : ''}
      title={text.length > 60 || isNumeric(column) ? cellText(value) : undefined}
    >
      <span class="cell">
        <span class="cell-text">{value === null ? <span class="muted">–</span> : text}</span>
        {narrows && (
          <span class="cell-actions">
            <button
              type="button"
              class="icon-button"
              aria-label={t('row.include', { name: column.name })}
              title={t('row.include', { name: column.name })}
              onClick={() => onCell(column.name, value, 'include')}
            >
              <Icon name="plus" size={14} />
            </button>
            <button
              type="button"
              class="icon-button"
              aria-label={t('row.exclude', { name: column.name })}
              title={t('row.exclude', { name: column.name })}
              onClick={() => onCell(column.name, value, 'exclude')}
            >
              <Icon name="minus" size={14} />
            </button>
          </span>
        )}
      </span>
    </td>
  );
}

export function ResultTable({ answer, zone, title, onCell }: Props) {
  const { columns, rows, chart } = answer;
  const figures = new Set(chart?.values ?? columns.filter(isNumeric).map(({ name }) => name));
  const [order, setOrder] = useState<Order | null>(null);
  const sorted = useMemo(() => {
    const column = order && columns[order.column];
    if (!order || !column) return rows;
    const sign = order.down ? -1 : 1;
    const at = order.column;
    return [...rows].sort(
      (a, b) => sign * compare(a[at] ?? null, b[at] ?? null, isNumeric(column)),
    );
  }, [answer, order]);
  const sortBy = (column: number) =>
    setOrder(
      order?.column === column
        ? order.down
          ? { column, down: false }
          : null
        : { column, down: true },
    );
  return (
    <div class="table-box">
      <table class="table" aria-label={title}>
        <thead>
          <tr>
            {columns.map((column, index) => {
              const by = order?.column === index ? order : null;
              return (
                <th
                  key={index}
                  scope="col"
                  class={isNumeric(column) ? 'cell-number' : ''}
                  aria-sort={by ? (by.down ? 'descending' : 'ascending') : undefined}
                >
                  <button type="button" class="sort" onClick={() => sortBy(index)}>
                    {column.name}
                    {by && <Icon name={by.down ? 'down' : 'up'} size={12} />}
                  </button>
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row, index) => (
            <tr key={index}>
              {columns.map((column, at) => (
                <Cell
                  key={at}
                  value={row[at] ?? null}
                  column={column}
                  zone={zone}
                  onCell={figures.has(column.name) ? null : (onCell ?? null)}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <p class="waiting">{t('chart.empty')}</p>}
    </div>
  );
}
