// Proposals below the search box while somebody types. Nothing is chosen until an arrow key or the pointer
// chooses, so Enter runs what was typed.
import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { StoreName } from '../../api/client';
import {
  apply,
  fieldCompletions,
  statementCompletions,
  valueCompletions,
  wantedAt,
  type Completion,
  type Wanted,
} from '../../model/completion';
import { useServices } from '../../state/services';
import { useStable } from '../../ui/hooks';

// Typing this fast asks the server once.
const kPauseMillis = 120;

export interface CompletionState {
  list: Completion[];
  active: number;
  left: number; // characters of its line before the part that is completed
  open: () => void;
  close: () => void;
  choose: (index: number) => void;
  onKeyDown: (event: KeyboardEvent) => void;
}

export function useCompletion(
  store: StoreName,
  input: RefObject<HTMLTextAreaElement | null>,
  onDraft: (text: string) => void,
): CompletionState {
  const { fieldNames, router } = useServices();
  const [shown, setShown] = useState<{ wanted: Wanted; list: Completion[] } | null>(null);
  const [active, setActive] = useState(-1);
  const asked = useRef<AbortController | null>(null);
  const timer = useRef(0);

  const close = useStable(() => {
    asked.current?.abort();
    window.clearTimeout(timer.current);
    setShown(null);
    setActive(-1);
  });
  const propose = useStable(async (wanted: Wanted, signal: AbortSignal): Promise<Completion[]> => {
    if (wanted.kind === 'value') {
      return valueCompletions(
        wanted,
        await fieldNames.values(store, wanted.field, wanted.prefix, signal),
      );
    }
    const names = await fieldNames.of(store);
    return wanted.kind === 'field'
      ? fieldCompletions(wanted, names)
      : statementCompletions(wanted, names);
  });
  const open = useStable(() => {
    close();
    const box = input.current;
    if (!box || !store.logstore) return;
    const wanted = wantedAt(box.value, box.selectionStart ?? box.value.length);
    // A field is proposed once its name has begun; the rest at once.
    if (!wanted) return;
    const abort = new AbortController();
    asked.current = abort;
    timer.current = window.setTimeout(
      () => {
        void propose(wanted, abort.signal).then((list) => {
          if (!abort.signal.aborted && document.activeElement === box) setShown({ wanted, list });
        });
      },
      wanted.kind === 'value' ? kPauseMillis : 0,
    );
  });
  const choose = useStable((index: number) => {
    const choice = shown?.list[index];
    const box = input.current;
    if (!shown || !choice || !box) return;
    const { text, caret } = apply(box.value, shown.wanted, choice);
    onDraft(text);
    box.value = text;
    box.focus();
    box.setSelectionRange(caret, caret);
    // A name asks for its value next.
    if (choice.kind === 'field' && choice.insert.endsWith(':')) open();
    else close();
  });
  const onKeyDown = useStable((event: KeyboardEvent) => {
    const list = shown?.list ?? [];
    if (list.length === 0) {
      if (event.key === 'ArrowDown' || (event.key === ' ' && event.ctrlKey)) {
        event.preventDefault();
        open();
      }
      return;
    }
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const step = event.key === 'ArrowDown' ? 1 : -1;
      // -1 stands for the text as it was typed.
      setActive(((active + 1 + step + list.length + 1) % (list.length + 1)) - 1);
    } else if (event.key === 'Tab' && !event.shiftKey) {
      choose(Math.max(0, active));
    } else if (event.key === 'Enter' && active >= 0) {
      choose(active);
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      close();
    } else {
      return;
    }
    event.preventDefault();
  });
  // Another view is another text in the box.
  useEffect(() => router.route.watch(close), []);
  useEffect(() => close, []);
  const from = shown?.wanted.from ?? 0;
  const line = input.current?.value.lastIndexOf('\n', from - 1) ?? -1;
  return {
    list: shown?.list ?? [],
    active,
    left: from - line - 1,
    open,
    close,
    choose,
    onKeyDown,
  };
}
