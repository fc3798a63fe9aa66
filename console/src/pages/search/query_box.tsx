// The search box: one line, coloured as the language reads it, with the wrong character marked.
//
// The colours lie in a layer behind a transparent input; both scroll together, so what people edit is
// a plain input with all of its habits.
import { useLayoutEffect, useRef } from 'preact/hooks';
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
  const input = useRef<HTMLInputElement>(null);
  const layer = useRef<HTMLDivElement>(null);
  const wrong = errorIndex(draft, error);
  const shownError = error && error.query === draft ? error : null;

  const completion = useCompletion(store, input, onDraft);
  const follow = () => {
    if (input.current && layer.current) layer.current.scrollLeft = input.current.scrollLeft;
  };
  useLayoutEffect(follow, [draft]);
  useLayoutEffect(() => {
    // The caret goes to where the query is wrong.
    if (wrong === null || document.activeElement !== input.current) return;
    input.current?.setSelectionRange(wrong, wrong);
    follow();
  }, [error]);

  const onSubmit = (event: Event) => {
    event.preventDefault();
    completion.close();
    if (input.current) onRun(input.current.value);
  };
  const stop = (event: Event) => {
    // The element becomes the submit button before the click has ended, and must not submit then.
    event.preventDefault();
    onStop();
  };
  return (
    <form class="query" role="search" onSubmit={onSubmit}>
      <div class={`query-box ${shownError ? 'query-refused' : ''}`}>
        <Icon name="search" size={18} />
        <div class="query-edit">
          <div class="query-layer" ref={layer} aria-hidden="true">
            <Coloured text={draft} wrong={wrong} />
          </div>
          <input
            ref={input}
            id="query"
            type="text"
            value={draft}
            spellcheck={false}
            autoComplete="off"
            autoCapitalize="off"
            enterkeyhint="search"
            aria-label={t('query.label')}
            aria-invalid={shownError !== null}
            aria-describedby={shownError ? 'query-error' : undefined}
            placeholder={t('query.placeholder')}
            role="combobox"
            aria-autocomplete="list"
            aria-expanded={completion.list.length > 0}
            aria-controls="completion"
            aria-activedescendant={
              completion.active >= 0 ? `completion-${completion.active}` : undefined
            }
            onInput={(event) => {
              onDraft(event.currentTarget.value);
              completion.open();
            }}
            onKeyDown={completion.onKeyDown}
            onBlur={completion.close}
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
