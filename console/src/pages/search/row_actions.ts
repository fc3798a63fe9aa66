// What can be done with a row and its values. One object for all rows, the same as long as the page is, so
// that rows are not drawn again.
import type { Json, Row } from '../../api/types';

export interface RowActions {
  onTerm: (term: string, how: 'include' | 'exclude') => void;
  // All rows of this time.
  onAround: (ms: number) => void;
  // The rows of the same origin around this one.
  onContext: (row: Row) => void;
  // All rows with this value, of whatever else they say.
  onSame: (name: string, value: Json, ms: number) => void;
  // Shows the field as a column of its own, or no more.
  onPin: (name: string) => void;
  isOpen: (id: number) => boolean;
  setOpen: (id: number, open: boolean) => void;
}
