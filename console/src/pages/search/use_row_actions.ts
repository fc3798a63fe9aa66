// What rows can ask of the page, as one object that stays the same.
import { useMemo, useRef } from 'preact/hooks';
import type { Row } from '../../api/types';
import { addTerm, exactTerm } from '../../model/query_text';
import { kHour, kMinute } from '../../model/time';
import { absoluteRange } from '../../model/time_range';
import type { View } from '../../model/view';
import { useStable } from '../../ui/hooks';
import type { RowActions } from './row_actions';

interface Wiring {
  view: View;
  draft: string;
  onView: (change: Partial<View>) => void;
  onContext: (row: Row) => void;
  // How many rows are unfolded.
  onOpenCount: (count: number) => void;
}

export function useRowActions(wiring: Wiring): RowActions & { closeAll: () => void } {
  const open = useRef(new Set<number>());
  const onTerm = useStable((term: string, how: 'include' | 'exclude') => {
    wiring.onView({ query: addTerm(wiring.draft, term, how) });
  });
  const onAround = useStable((ms: number) => {
    wiring.onView({
      query: '',
      live: false,
      range: absoluteRange(ms - kMinute / 2, ms + kMinute / 2),
    });
  });
  const onSame = useStable<Parameters<RowActions['onSame']>, void>((name, value, ms) => {
    const query = exactTerm(name, value);
    // Requests are short; an hour on each side holds all of one and is quick to search.
    if (query) wiring.onView({ query, live: false, range: absoluteRange(ms - kHour, ms + kHour) });
  });
  const onPin = useStable((name: string) => {
    const { columns } = wiring.view;
    const next = columns.includes(name)
      ? columns.filter((each) => each !== name)
      : [...columns, name];
    wiring.onView({ columns: next });
  });
  const onContext = useStable(wiring.onContext);
  const onOpenCount = useStable(wiring.onOpenCount);
  return useMemo(
    () => ({
      onTerm,
      onAround,
      onSame,
      onPin,
      onContext,
      isOpen: (id: number) => open.current.has(id),
      setOpen: (id: number, isOpen: boolean) => {
        if (isOpen) open.current.add(id);
        else open.current.delete(id);
        onOpenCount(open.current.size);
      },
      closeAll: () => {
        open.current.clear();
        onOpenCount(0);
      },
    }),
    [],
  );
}
