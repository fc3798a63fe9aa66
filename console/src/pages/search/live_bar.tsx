// What the live tail is doing, and the buttons to hold and to end it.
import { useEffect, useState } from 'preact/hooks';
import { t, tn } from '../../i18n/i18n';
import { compactCount, countText } from '../../model/number';
import { Icon } from '../../ui/icon';
import { Notice } from '../../ui/notice';
import type { LiveState } from './live_feed';

interface Props {
  live: LiveState;
  paused: boolean; // by the button; `live.held` alone means: by reading
  onPause: (paused: boolean) => void;
  onResume: () => void;
  onStop: () => void;
  onClear: () => void;
  highlight: string;
  onHighlight: (words: string) => void;
}

function statusText(live: LiveState, paused: boolean): string {
  if (live.connection === 'connecting') return t('live.connecting');
  if (live.connection === 'waiting') return t('live.waiting', { n: live.retrySeconds });
  if (live.held) return t(paused ? 'live.paused' : 'live.held');
  return t('live.on');
}

// Words to mark without leaving other rows out; they go to the address when the box is left or Enter is
// pressed.
function Highlight({ highlight, onHighlight }: Pick<Props, 'highlight' | 'onHighlight'>) {
  // The bar is drawn again with each row; what is being typed stays.
  const [words, setWords] = useState(highlight);
  useEffect(() => setWords(highlight), [highlight]);
  const take = () => {
    if (words.trim() !== highlight) onHighlight(words.trim());
  };
  return (
    <input
      type="search"
      class="input input-small live-mark"
      id="highlight"
      placeholder={t('live.highlight')}
      aria-label={t('live.highlight')}
      value={words}
      onInput={(event) => setWords(event.currentTarget.value)}
      onKeyDown={(event) => event.key === 'Enter' && take()}
      onBlur={take}
    />
  );
}

export function LiveBar(props: Props) {
  const { live, paused, onPause, onResume, onStop, onClear } = props;
  const state = live.connection !== 'open' ? 'waiting' : live.held ? 'held' : 'open';
  return (
    <div class="live" role="region" aria-label={t('live.on')}>
      <div class={`live-bar live-${state}`}>
        <span class="live-dot" aria-hidden="true" />
        <strong id="live-state" aria-live="polite">
          {statusText(live, paused)}
        </strong>
        <span class="muted">
          {t('live.rate', { n: live.rate < 10 ? live.rate.toFixed(1) : compactCount(live.rate) })}
          {' · '}
          {tn('live.received', live.received, countText(live.received))}
        </span>
        {live.held && live.pending > 0 && (
          <span class="badge">{tn('live.pending', live.pending, countText(live.pending))}</span>
        )}
        <span class="grow" />
        <Highlight {...props} />
        {live.held ? (
          <button type="button" class="button button-small" id="resume" onClick={onResume}>
            <Icon name="play" size={14} />
            {t('live.resume')}
          </button>
        ) : (
          <button
            type="button"
            class="button button-small"
            id="pause"
            onClick={() => onPause(true)}
          >
            <Icon name="pause" size={14} />
            {t('live.pause')}
          </button>
        )}
        <button type="button" class="button button-small" id="clear" onClick={onClear}>
          <Icon name="trash" size={14} />
          {t('live.clear')}
        </button>
        <button type="button" class="button button-small" onClick={onStop}>
          <Icon name="stop" size={14} />
          {t('live.stop')}
        </button>
      </div>
      {live.dropped > 0 && (
        <Notice kind="warning" title={tn('live.dropped', live.dropped, countText(live.dropped))} />
      )}
    </div>
  );
}
