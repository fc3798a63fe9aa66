// What stands below the histogram: rows, the result of a statement, patterns, or why there is nothing.
import { useMemo } from 'preact/hooks';
import { t } from '../../i18n/i18n';
import { wantedWords, wordsPattern } from '../../model/query_text';
import type { View } from '../../model/view';
import { findLogstore } from '../../state/catalog';
import { useServices } from '../../state/services';
import { useStable, useValue } from '../../ui/hooks';
import { lazy } from '../../ui/lazy';
import type { AnalysisProps } from './analysis/analysis';
import { LiveQuiet, NoRows, QueryRefused } from './empty_states';
import type { PatternsViewProps } from './patterns/patterns_view';
import { ProblemNotice } from './problem_notice';
import type { RowActions } from './row_actions';
import { needsDate, RowList } from './row_list';
import { kRowsMax, type SearchSession, type SearchState } from './search_session';

const Analysis = lazy<AnalysisProps>(async () => (await import('./parts')).Analysis);
const PatternsView = lazy<PatternsViewProps>(async () => (await import('./parts')).PatternsView);

// The words of the query and those the reader wants marked besides, as one pattern.
export function markPattern(view: View): RegExp | null {
  const marks = view.highlight.split(/\s+/).filter(Boolean);
  return wordsPattern([...wantedWords(view.query), ...marks]);
}

interface Props {
  state: SearchState;
  view: View;
  session: SearchSession;
  actions: RowActions;
  pattern: RegExp | null;
  onView: (change: Partial<View>) => void;
}

function Rows({ state, view, session, actions, pattern, onView }: Props) {
  const { api, prefs, catalog } = useServices();
  const { zone, wrap } = useValue(prefs);
  const known = useValue(catalog.state);
  const { rows, searching, live, cursor } = state;
  const more = useStable(() => void session.more());
  const now = api.now();
  const withDate = useMemo(() => needsDate(rows, zone, now), [rows, zone]);

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
  const done = !searching && !live && !state.cancelled && !state.stale;
  return (
    <RowList
      {...{ rows, zone, wrap, withDate, pattern, atCap, actions }}
      columns={view.columns}
      stale={state.stale}
      hasMore={cursor !== null && !atCap && !state.stale && !state.cancelled}
      loadingMore={state.loadingMore}
      complete={done && cursor === null}
      onMore={more}
    />
  );
}

export function Results(props: Props) {
  const { state, view, session, actions, onView } = props;
  const { prefs } = useServices();
  const { zone } = useValue(prefs);
  const { problem, table } = state;
  if (problem && problem.position === null) {
    const { project, logstore } = view;
    return <ProblemNotice {...{ problem, project, logstore }} onRetry={() => session.again()} />;
  }
  if (problem) return <QueryRefused />;
  if (table) {
    return (
      <Analysis
        answer={table}
        chart={view.chart}
        zone={zone}
        stale={state.stale}
        onChart={(chart) => onView({ chart })}
        onTerm={actions.onTerm}
      />
    );
  }
  if (view.tab === 'patterns' && state.window && !view.live) {
    const store = { project: view.project, logstore: view.logstore };
    return (
      <PatternsView
        store={store}
        query={view.query}
        window={state.window}
        compare={view.compare}
        onCompare={(compare) => onView({ compare })}
        onQuery={(query) => onView({ query, tab: 'rows' })}
      />
    );
  }
  return <Rows {...props} />;
}
