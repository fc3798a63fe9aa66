// The search page. The address says what is shown; everything here that changes the view changes the
// address, and the session follows it.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { routeText } from '../../base/route';
import { t } from '../../i18n/i18n';
import { splitQuery } from '../../model/query_text';
import { absoluteRange, isRelative, kDefaultRange } from '../../model/time_range';
import { sameSearch, sameView, viewFrom, viewParams, type View } from '../../model/view';
import { firstChoice } from '../../state/catalog';
import { useServices } from '../../state/services';
import { useDelayed, useDocumentTitle, useValue } from '../../ui/hooks';
import { lazy } from '../../ui/lazy';
import { Notice } from '../../ui/notice';
import { Shell } from '../../ui/shell';
import type { ContextDrawerProps } from './context/context_drawer';
import { NoLogstores } from './empty_states';
import type { FieldsPanelProps } from './fields/fields_panel';
import { HistogramView } from './histogram_view';
import { LiveBar } from './live_bar';
import { LogstorePicker } from './logstore_picker';
import { ProblemNotice } from './problem_notice';
import { QueryBox } from './query_box';
import { RangeButtons } from './range_buttons';
import { ResultBar } from './result_bar';
import { markPattern, Results } from './results';
import { SearchSession } from './search_session';
import { StatsLine } from './stats_line';
import { TimePicker } from './time_picker';
import { useKeys } from './use_keys';
import { useRowActions } from './use_row_actions';

const FieldsPanel = lazy<FieldsPanelProps>(async () => (await import('./parts')).FieldsPanel);
const ContextDrawer = lazy<ContextDrawerProps>(async () => (await import('./parts')).ContextDrawer);

// A search shorter than this needs no button to stop it.
const kStopAfterMillis = 300;

// The view in the address, with a logstore chosen when the address names none.
function useView(): View {
  const { router, catalog, prefs } = useServices();
  const route = useValue(router.route);
  const known = useValue(catalog.state);
  const columns = useRef<readonly string[]>([]);
  const view = useMemo(() => {
    const read = viewFrom(route.params);
    // The same columns are the same list, or each row would be drawn again.
    if (read.columns.join() !== columns.current.join()) columns.current = read.columns;
    return { ...read, columns: columns.current };
  }, [route]);
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
  // Before the page is painted: the server works meanwhile.
  useLayoutEffect(() => {
    if (shown.current && sameSearch(shown.current, view)) return;
    shown.current = view;
    session.show(view);
  }, [view]);
  useEffect(() => () => session.dispose(), []);
  return session;
}

// While live: held by the button, by an unfolded row, or because the reader scrolled away from the top.
function useHold(session: SearchSession, live: boolean, unfolded: number) {
  const [paused, setPaused] = useState(false);
  const [scrolled, setScrolled] = useState(false);
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
  useEffect(
    () => session.setHeld(paused || scrolled || unfolded > 0),
    [paused, scrolled, unfolded, live],
  );
  const resume = () => {
    setPaused(false);
    for (const open of document.querySelectorAll<HTMLElement>(
      '#rows .row-fold[aria-expanded=true]',
    )) {
      open.click();
    }
    window.scrollTo({ top: 0 });
  };
  return { paused, setPaused, resume };
}

export function SearchPage() {
  const { api, prefs, router, catalog } = useServices();
  const { zone, wrap, fields } = useValue(prefs);
  const known = useValue(catalog.state);
  const view = useView();
  const session = useSession(view);
  const state = useValue(session.state);
  const [draft, setDraft] = useState(view.query);
  const [unfolded, setUnfolded] = useState(0);
  const hold = useHold(session, view.live, unfolded);
  useDocumentTitle(`${view.query || view.logstore || t('page.search')} · Kelp`);
  useEffect(() => setDraft(view.query), [view.query]);
  // Rows of the search before keep their marks until they go.
  const marked = useRef(view);
  if (!state.stale || !state.view) marked.current = view;
  const { query: markedQuery, highlight } = marked.current;
  const pattern = useMemo(() => markPattern(marked.current), [markedQuery, highlight]);
  const isStatement = splitQuery(view.query).statement !== null;

  // Shows another view; the same one runs again.
  const onView = (change: Partial<View>) => {
    const asked = { ...view, ...change };
    // A statement has an end; there is nothing to follow.
    const next = { ...asked, live: asked.live && splitQuery(asked.query).statement === null };
    if (sameView(next, view)) session.again();
    else router.go('search', viewParams(next));
    // Other looks leave alone what is being typed, and the place on the page.
    const isSearch = !sameSearch(next, view) || sameView(next, view);
    if (!isSearch) return;
    setDraft(next.query);
    window.scrollTo({ top: 0 });
  };
  const actions = useRowActions({
    view,
    draft,
    onView,
    onContext: ({ origin, time, logstore }) =>
      onView({ context: { origin, time, logstore: logstore ?? view.logstore } }),
    onOpenCount: setUnfolded,
  });
  useEffect(() => actions.closeAll(), [state.view]);
  const setLive = (live: boolean) => {
    const range = live && !isRelative(view.range) ? kDefaultRange : view.range;
    onView({ live, range, query: live ? splitQuery(draft).search : draft, tab: 'rows' });
  };
  useKeys({
    rerun: () => session.again(),
    toggleLive: () => setLive(!view.live),
    togglePause: () => view.live && (state.live?.held ? hold.resume() : hold.setPaused(true)),
    toggleWrap: () => prefs.patch({ wrap: !wrap }),
    toggleFields: () => prefs.patch({ fields: !fields }),
    togglePatterns: () =>
      !view.live && onView({ tab: view.tab === 'patterns' ? 'rows' : 'patterns' }),
    clear: () => view.live && session.clear(),
  });

  const { problem, window: shown } = state;
  // While live the range moves on; the fields are those of when it began.
  const fieldsWindow = useRef(shown);
  if (!view.live || !fieldsWindow.current) fieldsWindow.current = shown;
  const running = useDelayed(state.searching || (state.counting && !view.live), kStopAfterMillis);
  const busy = state.searching || state.counting || !state.view || !sameSearch(state.view, view);
  const queryError =
    problem && problem.position !== null && state.view
      ? { query: state.view.query, message: problem.message, position: problem.position }
      : null;
  const nothing = known.loaded && !view.logstore && !firstChoice(known, prefs.get());
  const store = { project: view.project, logstore: view.logstore };
  const withFields = fields && !isStatement && !nothing;
  return (
    <Shell current="search">
      <div class="controls">
        <LogstorePicker
          {...store}
          onPick={(project, logstore) => onView({ project, logstore, columns: [] })}
        />
        <QueryBox
          store={store}
          draft={draft}
          running={running}
          error={queryError}
          onDraft={setDraft}
          onRun={(query) => {
            session.remember();
            onView({ query });
          }}
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
          <ProblemNotice problem={known.problem} {...store} onRetry={() => void catalog.load()} />
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
            <ResultBar state={state} view={view} isStatement={isStatement} onView={onView} />
            {view.live && state.live && (
              <LiveBar
                live={state.live}
                paused={hold.paused}
                highlight={view.highlight}
                onHighlight={(highlight) => onView({ highlight })}
                onPause={hold.setPaused}
                onResume={hold.resume}
                onClear={() => session.clear()}
                onStop={() => setLive(false)}
              />
            )}
            <div class={withFields ? 'split' : 'split split-one'}>
              {withFields && (
                <FieldsPanel
                  key={`${view.project}/${view.logstore}`}
                  store={store}
                  query={view.query}
                  window={fieldsWindow.current}
                  ready={!state.searching && !state.problem}
                  columns={view.columns}
                  onTerm={actions.onTerm}
                  onPin={actions.onPin}
                  onQuery={(query) => onView({ query })}
                  onClose={() => prefs.patch({ fields: false })}
                />
              )}
              <div class="split-main">
                <Results {...{ state, view, session, onView, actions, pattern }} />
              </div>
            </div>
          </>
        )}
      </main>
      {view.context && (
        <ContextDrawer
          store={store}
          place={view.context}
          zone={zone}
          pattern={pattern}
          onClose={() => onView({ context: null })}
        />
      )}
    </Shell>
  );
}
