// The search box: coloured as the language reads it, with the wrong character marked. It is one line high and
// grows with what is written while it has the focus; Shift and Enter begin a new line.
//
// The colours lie in a layer behind a transparent text area of the same size and wrapping, so what people edit
// is a plain text area with all of its habits.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { StoreName } from '../../api/client';
import { t } from '../../i18n/i18n';
import { indexOfCharacter, tokenize } from '../../model/query_text';
import { Icon } from '../../ui/icon';
import { CompletionList } from './completion_list';
import { QueryHelp } from './query_help';
import { useCompletion } from './use_completion';

export interface QueryError {
  query: string; // the text that was refused
  message: string;
  position: number | null; // in characters
}

// About eight lines; more scroll.
const kHeightMax = 178;

interface Props {
  store: StoreName;
  draft: string;
  running: boolean;
  error: QueryError | null;
  onDraft: (text: string) => void;
  onRun: (text: string) => void;
  onStop: () => void;
}

// UTF-16 index of the wrong character in the draft; null when the draft is another text by now.
function errorIndex(draft: string, error: QueryError | null): number | null {
  if (!error || error.position === null || error.query !== draft) return null;
  return Math.min(indexOfCharacter(draft, error.position), draft.length);
}

function Coloured({ text, wrong }: { text: string; wrong: number | null }) {
  const tokens = tokenize(text);
  return (
    <>
      {tokens.map(({ kind, start, end }) => {
        const piece = text.slice(start, end);
        if (wrong === null || wrong < start || wrong >= end) {
          return (
            <span key={start} class={`q-${kind}`}>
              {piece}
            </span>
          );
        }
        const width = text.codePointAt(wrong)! > 0xffff ? 2 : 1;
        const at = wrong - start;
        return (
          <span key={start} class={`q-${kind}`}>
            {piece.slice(0, at)}
            <span class="q-wrong">{piece.slice(at, at + width)}</span>
            {piece.slice(at + width)}
          </span>
        );
      })}
      {wrong !== null && wrong >= text.length && <span class="q-wrong"> </span>}
    </>
  );
}

export function QueryBox({ store, draft, running, error, onDraft, onRun, onStop }: Props) {
  const input = useRef<HTMLTextAreaElement>(null);
  const layer = useRef<HTMLDivElement>(null);
  const wrong = errorIndex(draft, error);
  const shownError = error && error.query === draft ? error : null;

  const completion = useCompletion(store, input, onDraft);
  const [focused, setFocused] = useState(false);
  const follow = () => {
    if (!input.current || !layer.current) return;
    layer.current.scrollLeft = input.current.scrollLeft;
    layer.current.scrollTop = input.current.scrollTop;
  };
  useLayoutEffect(() => {
    const box = input.current!;
    box.style.height = '';
    if (focused) box.style.height = `${Math.min(kHeightMax, box.scrollHeight)}px`;
    else box.scrollTop = 0;
    follow();
  }, [draft, focused]);
  useLayoutEffect(() => {
    // The caret goes to where the query is wrong.
    if (wrong === null || document.activeElement !== input.current) return;
    input.current?.setSelectionRange(wrong, wrong);
    follow();
  }, [error]);

  const run = () => {
    completion.close();
    if (input.current) onRun(input.current.value);
  };
  const onSubmit = (event: Event) => {
    event.preventDefault();
    run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    completion.onKeyDown(event);
    // While characters are composed, Enter belongs to that.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.defaultPrevented)
      return;
    event.preventDefault();
    run();
  };
  const stop = (event: Event) => {
    // The element becomes the submit button before the click has ended, and must not submit then.
    event.preventDefault();
    onStop();
  };
  return (
    <form class="query" role="search" onSubmit={onSubmit}>
      <div class={`query-box ${focused ? 'query-open' : ''} ${shownError ? 'query-refused' : ''}`}>
        <Icon name="search" size={18} />
        <div class="query-edit">
          <div class="query-layer" ref={layer} aria-hidden="true">
            <Coloured text={draft} wrong={wrong} />
          </div>
          <textarea
            ref={input}
            id="query"
            rows={1}
            value={draft}
            spellcheck={false}
            autoComplete="off"
            autoCapitalize="off"
            enterkeyhint="search"
            aria-label={t('query.label')}
            aria-invalid={shownError !== null}
            aria-describedby={shownError ? 'query-error' : undefined}
            placeholder={t('query.placeholder')}
            aria-autocomplete="list"
            aria-haspopup="listbox"
            aria-controls="completion"
            aria-activedescendant={
              completion.active >= 0 ? `completion-${completion.active}` : undefined
            }
            onInput={(event) => {
              onDraft(event.currentTarget.value);
              completion.open();
            }}
            onKeyDown={onKeyDown}
            onFocus={() => setFocused(true)}
            onBlur={() => {
              completion.close();
              setFocused(false);
            }}
            onScroll={follow}
          />
          <CompletionList {...completion} />
        </div>
        {draft !== '' && (
          <button
            type="button"
            class="icon-button"
            aria-label={t('query.clear')}
            title={t('query.clear')}
            onClick={() => {
              onDraft('');
              input.current?.focus();
            }}
          >
            <Icon name="close" />
          </button>
        )}
        <QueryHelp />
      </div>
      {running ? (
        <button type="button" class="button button-stop" id="stop" onClick={stop}>
          <Icon name="stop" />
          <span>{t('query.stop')}</span>
        </button>
      ) : (
        <button type="submit" class="button button-primary" id="run" aria-label={t('query.run')}>
          <Icon name="search" />
          <span>{t('query.run')}</span>
        </button>
      )}
      {shownError && (
        <p class="query-error" id="query-error" role="alert">
          {shownError.position === null
            ? shownError.message
            : t('query.error_at', {
                position: shownError.position + 1,
                message: shownError.message,
              })}
        </p>
      )}
    </form>
  );
}
