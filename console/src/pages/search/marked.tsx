// Text of a row with the words of the query marked. Text is only ever inserted as text.
import { markWords } from '../../model/query_text';

export function Marked({ text, pattern }: { text: string; pattern: RegExp | null }) {
  return (
    <>
      {markWords(text, pattern).map(({ text: piece, marked }, index) =>
        marked ? <mark key={index}>{piece}</mark> : piece,
      )}
    </>
  );
}
