// One row of the list, folded or not.
//
// The fold button carries the focus for keyboard and screen readers; a click anywhere on the line does
// the same, unless it ends a selection of text.
import { useState } from 'preact/hooks';
import { t } from '../../i18n/i18n';
import { columnText, type RowView } from '../../model/row';
import { clockText, dateText, dateTimeText, type Zone } from '../../model/time';
import { Icon } from '../../ui/icon';
import { memo } from '../../ui/memo';
import { Marked } from './marked';
import type { RowActions } from './row_actions';
import { RowDetails } from './row_details';

export interface RowItemProps {
  view: RowView;
  zone: Zone;
  withDate: boolean;
  pattern: RegExp | null;
  columns: readonly string[];
  actions: RowActions;
}

function hasSelection(): boolean {
  const selection = window.getSelection();
  return selection !== null && !selection.isCollapsed;
}

function Extras({ view, pattern, columns }: RowItemProps) {
  return (
    <>
      {view.extras
        .filter(([name]) => !columns.includes(name))
        .map(([name, value]) => (
          <span key={name} class="extra">
            <span class="extra-name">{name}=</span>
            <Marked text={value} pattern={pattern} />
          </span>
        ))}
    </>
  );
}

function Line(props: RowItemProps) {
  const { view, zone, withDate, pattern, columns } = props;
  return (
    <>
      <time class="row-time" dateTime={view.row.time}>
        {withDate && <span class="row-date">{dateText(view.ms, zone).slice(5)} </span>}
        {clockText(view.ms, zone, 'milli')}
      </time>
      <span class="row-level" title={t(`level.${view.level}`)}>
        {view.level === 'none' ? '' : view.level}
      </span>
      {columns.length === 0 && (
        <span class="row-source" title={view.source}>
          {view.source}
        </span>
      )}
      {columns.map((name) => {
        const text = columnText(view.row, name);
        return (
          <span key={name} class="row-column" title={text} data-name={name}>
            <Marked text={text} pattern={pattern} />
          </span>
        );
      })}
      <span class="row-text">
        {view.text ? (
          <span class="row-message">
            <Marked text={view.text} pattern={pattern} />
          </span>
        ) : (
          view.extras.length === 0 && <span class="muted">{t('rows.empty_body')}</span>
        )}
        <Extras {...props} />
      </span>
    </>
  );
}

export const RowItem = memo(function RowItem(props: RowItemProps) {
  const { view, zone, pattern, columns, actions } = props;
  const [open, setOpen] = useState(actions.isOpen(view.id));
  const toggle = () => {
    actions.setOpen(view.id, !open);
    setOpen(!open);
  };
  const time = dateTimeText(view.ms, zone);
  const onLineClick = (event: MouseEvent) => {
    if ((event.target as Element).closest('button') || hasSelection()) return;
    toggle();
  };
  return (
    <div class={`row level-${view.level} ${open ? 'row-open' : ''}`} role="listitem">
      <div class="row-line" onClick={onLineClick}>
        <button
          type="button"
          class="row-fold"
          aria-expanded={open}
          aria-label={t(open ? 'rows.fold' : 'rows.unfold', { time })}
          onClick={toggle}
        >
          <Icon name="right" size={14} />
        </button>
        <Line {...props} />
      </div>
      {open && <RowDetails view={view} pattern={pattern} columns={columns} actions={actions} />}
    </div>
  );
});
