// The search page's keyboard: one listener on the document, silent while somebody types.
import { useEffect } from 'preact/hooks';
import { isTyping, useStable } from '../../ui/hooks';
import { focusedRow, moveRow } from './row_list';

export interface KeyActions {
  rerun: () => void;
  toggleLive: () => void;
  togglePause: () => void;
  toggleWrap: () => void;
  toggleFields: () => void;
  togglePatterns: () => void;
  clear: () => void;
}

function escape(): void {
  const row = focusedRow();
  if (row?.open) row.toggle();
  else (document.activeElement as HTMLElement | null)?.blur();
}

function focusQuery(): void {
  const input = document.querySelector<HTMLTextAreaElement>('#query');
  input?.focus();
  input?.select();
}

export function useKeys(actions: KeyActions): void {
  const onKey = useStable((event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector('dialog[open]')) return;
    if (event.key === 'Escape') return escape();
    if (isTyping(event.target)) return;
    const keys: Record<string, () => void> = {
      '/': focusQuery,
      j: () => moveRow('next'),
      k: () => moveRow('previous'),
      g: () => moveRow('first'),
      G: () => moveRow('last'),
      o: () => focusedRow()?.toggle(),
      r: actions.rerun,
      t: () => document.querySelector<HTMLElement>('#range-button')?.click(),
      l: actions.toggleLive,
      p: actions.togglePause,
      w: actions.toggleWrap,
      f: actions.toggleFields,
      m: actions.togglePatterns,
      c: actions.clear,
      s: () => document.querySelector<HTMLElement>('#library-button')?.click(),
      e: () => document.querySelector<HTMLElement>('#export-button')?.click(),
    };
    const action = keys[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  useEffect(() => {
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}
