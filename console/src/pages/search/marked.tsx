// Text of a row with the words of the query marked and terminal colours shown. Text is only ever inserted
// as text.
import { ansiSpans, hasAnsi } from '../../model/ansi';
import { markWords } from '../../model/query_text';

interface Props {
  text: string;
  pattern: RegExp | null;
}

function Words({ text, pattern }: Props) {
  return (
    <>
      {markWords(text, pattern).map(({ text: piece, marked }, index) =>
        marked ? <mark key={index}>{piece}</mark> : piece,
      )}
    </>
  );
}

export function Marked({ text, pattern }: Props) {
  if (!hasAnsi(text)) return <Words text={text} pattern={pattern} />;
  return (
    <>
      {ansiSpans(text).map(({ text: piece, look }, index) => (
        <span key={index} class={look}>
          <Words text={piece} pattern={pattern} />
        </span>
      ))}
    </>
  );
}
