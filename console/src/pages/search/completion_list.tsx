// The proposals below the search box.
import { t } from '../../i18n/i18n';
import type { CompletionKind } from '../../model/completion';
import { compactCount } from '../../model/number';
import type { CompletionState } from './use_completion';

const kKinds: Record<CompletionKind, string> = {
  field: 'F',
  value: '=',
  keyword: 'K',
  function: 'ƒ',
};
// Width of a character of the search box, and the most that the list moves with the caret.
const kCharPixels = 8;
const kLeftMax = 420;

export function CompletionList({ list, active, left, choose }: CompletionState) {
  if (list.length === 0) return null;
  return (
    <ul
      class="completion"
      id="completion"
      role="listbox"
      aria-label={t('query.proposals')}
      style={{ left: `${Math.min(kLeftMax, left * kCharPixels)}px` }}
    >
      {list.map(({ kind, text, rows }, index) => (
        <li
          key={`${kind}${text}`}
          id={`completion-${index}`}
          role="option"
          aria-selected={index === active}
          class={`completion-item ${index === active ? 'chosen' : ''}`}
          // The box keeps the focus.
          onMouseDown={(event) => {
            event.preventDefault();
            choose(index);
          }}
        >
          <span class={`completion-kind kind-${kind}`} title={t(`query.kind.${kind}`)}>
            {kKinds[kind]}
          </span>
          <span class="completion-text">{text}</span>
          {rows !== null && <span class="muted">{compactCount(rows)}</span>}
        </li>
      ))}
    </ul>
  );
}
