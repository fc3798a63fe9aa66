// One row of the list, folded or not.
//
// The fold button carries the focus for keyboard and screen readers; a click anywhere on the line does
// the same, unless it ends a selection of text.
import { useEffect, useState } from 'preact/hooks';
import { t } from '../../i18n/i18n';
import type { RowView } from '../../model/row';
import { clockText, dateText, dateTimeText, type Zone } from '../../model/time';
import { Icon } from '../../ui/icon';
import { memo } from '../../ui/memo';
import { Marked } from './marked';
import { RowDetails, type OnTerm } from './row_details';

export interface RowItemProps {
  view: RowView;
  zone: Zone;
  withDate: boolean;
  pattern: RegExp | null;
  onTerm: OnTerm;
  onAround: (ms: number) => void;
  // How many more rows are unfolded: 1 or -1.
  onFold: (change: number) => void;
}

function hasSelection(): boolean {
  const selection = window.getSelection();
  return selection !== null && !selection.isCollapsed;
}

function Line({ view, zone, withDate, pattern }: RowItemProps) {
  return (
    <>
      <time class="row-time" dateTime={view.row.time}>
        {withDate && <span class="row-date">{dateText(view.ms, zone).slice(5)} </span>}
        {clockText(view.ms, zone, 'milli')}
      </time>
      <span class="row-level" title={t(`level.${view.level}`)}>
        {view.level === 'none' ? '' : view.level}
      </span>
      <span class="row-source" title={view.source}>
        {view.source}
      </span>
      <span class="row-text">
        {view.text ? (
          <span class="row-message">
            <Marked text={view.text} pattern={pattern} />
          </span>
        ) : (
          view.extras.length === 0 && <span class="muted">{t('rows.empty_body')}</span>
        )}
        {view.extras.map(([name, value]) => (
          <span key={name} class="extra">
            <span class="extra-name">{name}=</span>
            <Marked text={value} pattern={pattern} />
          </span>
        ))}
      </span>
    </>
  );
}

export const RowItem = memo(function RowItem(props: RowItemProps) {
  const { view, zone, pattern, onFold, onTerm, onAround } = props;
  const [open, setOpen] = useState(false);
  useEffect(() => {
    if (!open) return undefined;
    onFold(1);
    return () => onFold(-1);
  }, [open]);

  const time = dateTimeText(view.ms, zone);
  const onLineClick = (event: MouseEvent) => {
    if ((event.target as Element).closest('button') || hasSelection()) return;
    setOpen(!open);
  };
  return (
    <div class={`row level-${view.level} ${open ? 'row-open' : ''}`} role="listitem">
      <div class="row-line" onClick={onLineClick}>
        <button
          type="button"
          class="row-fold"
          aria-expanded={open}
          aria-label={t(open ? 'rows.fold' : 'rows.unfold', { time })}
          onClick={() => setOpen(!open)}
        >
          <Icon name="right" size={14} />
        </button>
        <Line {...props} />
      </div>
      {open && <RowDetails view={view} pattern={pattern} onTerm={onTerm} onAround={onAround} />}
    </div>
  );
});
