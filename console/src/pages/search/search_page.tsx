// The search page. The address says what is shown; everything here that changes the view changes the
// address, and the session follows it.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { routeText } from '../../base/route';
import { t } from '../../i18n/i18n';
import { wantedWords, addTerm, wordsPattern } from '../../model/query_text';
import { kMinute } from '../../model/time';
import {
  absoluteRange,
  isRelative,
  kDefaultRange,
  shiftWindow,
  widenWindow,
  type TimeRange,
  type Window,
} from '../../model/time_range';
import { sameView, viewFrom, viewParams, type View } from '../../model/view';
import { findLogstore, firstChoice } from '../../state/catalog';
import { useServices } from '../../state/services';
import { useDelayed, useDocumentTitle, useStable, useValue } from '../../ui/hooks';
import { Icon } from '../../ui/icon';
import { Notice } from '../../ui/notice';
import { Shell } from '../../ui/shell';
import { LiveQuiet, NoLogstores, NoRows, QueryRefused } from './empty_states';
import { HistogramView } from './histogram_view';
import { LiveBar } from './live_bar';
import { LogstorePicker } from './logstore_picker';
import { ProblemNotice } from './problem_notice';
import { QueryBox } from './query_box';
import { needsDate, RowList } from './row_list';
import { kRowsMax, SearchSession, type SearchState } from './search_session';
import { StatsLine } from './stats_line';
import { TimePicker } from './time_picker';
import { useKeys } from './use_keys';

// A search shorter than this needs no button to stop it.
const kStopAfterMillis = 300;

// The view in the address, with a logstore chosen when the address names none.
function useView(): View {
  const { router, catalog, prefs } = useServices();
  const route = useValue(router.route);
  const known = useValue(catalog.state);
  const view = useMemo(() => viewFrom(route.params), [route]);
  useEffect(() => void catalog.load(), []);
  useEffect(() => {
    if (view.project && view.logstore) {
      prefs.patch({ project: view.project, logstore: view.logstore });
      return;
    }
    const choice = known.loaded ? firstChoice(known, prefs.get()) : null;
    if (choice) router.go('search', viewParams({ ...view, ...choice }), { replace: true });
  }, [view, known]);
  return view;
}

function useSession(view: View): SearchSession {
  const { api } = useServices();
  const session = useMemo(() => new SearchSession(api), []);
  const shown = useRef<View | null>(null);
  useEffect(() => {
    if (shown.current && sameView(shown.current, view)) return;
    shown.current = view;
    session.show(view);
  }, [view]);
  useEffect(() => () => session.dispose(), []);
  return session;
}

// While live: held by the button, by an unfolded row, or because the reader scrolled away from the top.
function useHold(session: SearchSession, live: boolean) {
  const [paused, setPaused] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const [unfolded, setUnfolded] = useState(0);
  useEffect(() => {
    if (!live) return undefined;
    const onScroll = () => setScrolled(window.scrollY > 240);
    onScroll();
    window.addEventListener('scroll', onScroll, { passive: true });
    return () => window.removeEventListener('scroll', onScroll);
  }, [live]);
  useEffect(() => {
    if (!live) setPaused(false);
  }, [live]);
  useEffect(() => session.setHeld(paused || scrolled || unfolded > 0), [paused, scrolled, unfolded, live]);
  const onFold = useStable((change: number) => setUnfolded((n) => n + change));
  const resume = () => {
    setPaused(false);
    for (const open of document.querySelectorAll<HTMLElement>('#rows .row-fold[aria-expanded=true]')) {
      open.click();
    }
    window.scrollTo({ top: 0 });
  };
  return { paused, setPaused, resume, onFold };
}

interface RangeButtonsProps {
  window: Window;
  now: () => number;
  onRange: (range: TimeRange) => void;
}

function RangeButtons({ window: shown, now, onRange }: RangeButtonsProps) {
  const go = ({ from, to }: Window) => onRange(absoluteRange(from, to));
  const buttons = [
    ['left', 'range.earlier', () => go(shiftWindow(shown, -1))],
    ['zoomOut', 'range.widen', () => go(widenWindow(shown, now()))],
    ['right', 'range.later', () => go(shiftWindow(shown, 1))],
  ] as const;
  return (
    <span class="range-buttons">
      {buttons.map(([icon, text, run]) => (
        <button
          key={icon}
          type="button"
          class="icon-button"
          aria-label={t(text)}
          title={t(text)}
          onClick={run}
        >
          <Icon name={icon} />
        </button>
      ))}
    </span>
  );
}

interface ResultsProps {
  state: SearchState;
  view: View;
  session: SearchSession;
  onView: (change: Partial<View>) => void;
  onTerm: (term: string, how: 'include' | 'exclude') => void;
  onFold: (change: number) => void;
}

function Results({ state, view, session, onView, onTerm, onFold }: ResultsProps) {
  const { api, prefs, catalog } = useServices();
  const { zone, wrap } = useValue(prefs);
  const known = useValue(catalog.state);
  const { rows, problem, searching, live, cursor } = state;
  const pattern = useMemo(() => wordsPattern(wantedWords(view.query)), [view.query]);
  const around = useStable((ms: number) => {
    onView({ query: '', live: false, range: absoluteRange(ms - kMinute / 2, ms + kMinute / 2) });
  });
  const more = useStable(() => void session.more());
  const term = useStable(onTerm);
  const now = api.now();
  const withDate = useMemo(() => needsDate(rows, zone, now), [rows, zone]);

  if (problem && problem.position === null) {
    const { project, logstore } = view;
    return <ProblemNotice {...{ problem, project, logstore }} onRetry={() => session.again()} />;
  }
  if (problem) return <QueryRefused />;
  if (rows.count === 0 && live) return <LiveQuiet />;
  if (rows.count === 0 && !searching && state.window && (state.stats || state.cancelled)) {
    return (
      <NoRows
        query={view.query}
        window={state.window}
        nowMs={now}
        zone={zone}
        cancelled={state.cancelled}
        store={findLogstore(known, view.project, view.logstore)}
        onRange={(range) => onView({ range })}
        onQuery={(query) => onView({ query })}
      />
    );
  }
  if (rows.count === 0) return <p class="waiting">{searching && t('stats.running')}</p>;
  const atCap = rows.count >= kRowsMax;
  const done = !searching && !live && !state.cancelled && !state.stale && rows.count > 0;
  return (
    <RowList
      {...{ rows, zone, wrap, withDate, pattern, atCap, onFold }}
      stale={state.stale}
      hasMore={cursor !== null && !atCap && !state.stale && !state.cancelled}
      loadingMore={state.loadingMore}
      complete={done && cursor === null}
      onMore={more}
      onTerm={term}
      onAround={around}
    />
  );
}

export function SearchPage() {
  const { api, prefs, router, catalog } = useServices();
  const { zone, wrap } = useValue(prefs);
  const known = useValue(catalog.state);
  const view = useView();
  const session = useSession(view);
  const state = useValue(session.state);
  const [draft, setDraft] = useState(view.query);
  const hold = useHold(session, view.live);
  useDocumentTitle(`${view.query || view.logstore || t('page.search')} · Kelp`);
  useEffect(() => setDraft(view.query), [view.query]);

  // Shows another view; the same one runs again.
  const onView = (change: Partial<View>) => {
    const next = { ...view, ...change };
    if (sameView(next, view)) session.again();
    else router.go('search', viewParams(next));
    window.scrollTo({ top: 0 });
  };
  const onTerm = (term: string, how: 'include' | 'exclude') => {
    const query = addTerm(draft, term, how);
    setDraft(query);
    onView({ query });
  };
  const setLive = (live: boolean) => {
    const range = live && !isRelative(view.range) ? kDefaultRange : view.range;
    onView({ live, range, query: draft });
  };
  useKeys({
    rerun: () => session.again(),
    toggleLive: () => setLive(!view.live),
    togglePause: () => view.live && (state.live?.held ? hold.resume() : hold.setPaused(true)),
    toggleWrap: () => prefs.patch({ wrap: !wrap }),
  });

  const { problem, window: shown } = state;
  const running = useDelayed(state.searching || (state.counting && !view.live), kStopAfterMillis);
  const busy = state.searching || state.counting || !state.view || !sameView(state.view, view);
  const queryError =
    problem && problem.position !== null && state.view
      ? { query: state.view.query, message: problem.message, position: problem.position }
      : null;
  const nothing = known.loaded && !view.logstore && !firstChoice(known, prefs.get());
  const bar = (
    <LogstorePicker
      project={view.project}
      logstore={view.logstore}
      onPick={(project, logstore) => onView({ project, logstore })}
    />
  );
  return (
    <Shell pages={[{ id: 'search', text: t('page.search') }]} current="search" bar={bar}>
      <div class="controls">
        <QueryBox
          draft={draft}
          running={running}
          error={queryError}
          onDraft={setDraft}
          onRun={(query) => onView({ query })}
          onStop={() => session.cancel()}
        />
        <TimePicker
          range={view.range}
          zone={zone}
          now={() => api.now()}
          onRange={(range) => onView({ range, live: view.live && isRelative(range), query: draft })}
        />
        <button
          type="button"
          class={`button live-button ${view.live ? 'live-button-on' : ''}`}
          id="live"
          aria-pressed={view.live}
          title={t(view.live ? 'live.stop' : 'live.start_hint')}
          onClick={() => setLive(!view.live)}
        >
          <span class="live-dot" aria-hidden="true" />
          <span>{t('live.start')}</span>
        </button>
      </div>
      <main
        class="page"
        id="content"
        tabIndex={-1}
        aria-busy={busy}
        data-shown={busy ? '' : routeText('search', viewParams(view))}
      >
        <h1 class="heard">{t('page.search')}</h1>
        {!view.logstore && known.problem && (
          <ProblemNotice
            problem={known.problem}
            project={view.project}
            logstore={view.logstore}
            onRetry={() => void catalog.load()}
          />
        )}
        {nothing ? (
          <NoLogstores />
        ) : (
          <>
            <div class="plot">
              <HistogramView
                histogram={state.histogram}
                window={shown}
                counting={state.counting}
                live={view.live}
                zone={zone}
                onZoom={({ from, to }) => onView({ range: absoluteRange(from, to), live: false })}
              />
              <div class="plot-bar">
                <StatsLine state={state} />
                <label class="check">
                  <input
                    type="checkbox"
                    checked={wrap}
                    onChange={(event) => prefs.patch({ wrap: event.currentTarget.checked })}
                  />
                  {t('rows.wrap')}
                </label>
                {shown && (
                  <RangeButtons
                    window={shown}
                    now={() => api.now()}
                    onRange={(range) => onView({ range, live: false })}
                  />
                )}
              </div>
            </div>
            {state.histogramProblem && !problem && (
              <Notice
                kind="warning"
                title={t('notice.histogram', { message: state.histogramProblem })}
              />
            )}
            {state.partial && (
              <Notice kind="warning" title={t('notice.partial', { why: state.partial })} />
            )}
            {view.live && state.live && (
              <LiveBar
                live={state.live}
                paused={hold.paused}
                onPause={hold.setPaused}
                onResume={hold.resume}
                onStop={() => setLive(false)}
              />
            )}
            <Results {...{ state, view, session, onView, onTerm }} onFold={hold.onFold} />
          </>
        )}
      </main>
    </Shell>
  );
}
