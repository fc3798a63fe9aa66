// One search as the page sees it: runs it, goes on to older rows, follows new ones, stops it.
//
// Place:   SearchPage owns one; it tells it what to show and draws `state`.
// Order:   `show` starts a run and ends the one before: its requests are aborted here and cancelled at
//          the server, and none of its answers is used any more. `dispose` ends the last one.
// Limits:  kRowsMax rows in the page, kLiveRowsMax while live.
// Errors:  none leave; a failed search is `state.problem`, a failed histogram `histogramProblem`.
import { ApiError, isAbort, type ApiClient, type SearchCall } from '../../api/client';
import type { HistogramAnswer, Row, SqlAnswer, Stats } from '../../api/types';
import { newId } from '../../base/id';
import { Value } from '../../base/value';
import { bucketsFor, type Histogram } from '../../model/histogram';
import { addTerm, splitQuery, type QueryParts } from '../../model/query_text';
import { parseRfc3339, serverTime, unixNanosText } from '../../model/time';
import { resolveRange, type Window } from '../../model/time_range';
import { levelTerms, type LevelTerms } from '../../model/level_terms';
import type { View } from '../../model/view';
import { LiveFeed, type LiveState } from './live_feed';
import { RowBag, RowStore } from './row_store';

export interface SearchState {
  view: View | null;
  window: Window | null;
  searching: boolean;
  counting: boolean;
  loadingMore: boolean;
  cancelled: boolean;
  // The rows belong to an earlier search until the first answer of this one.
  stale: boolean;
  rows: RowStore;
  // The result of a statement behind a `|`.
  table: SqlAnswer | null;
  cursor: string | null;
  histogram: Histogram | null;
  histogramProblem: string | null;
  stats: Stats | null;
  partial: string | null;
  problem: ApiError | null;
  live: LiveState | null;
}

const kFirstRows = 100;
// The first pages are small to be there at once, the later ones large to ask seldom.
const kMoreRows = 200;
const kMuchMoreRows = 1000;
const kMuchMoreFrom = 500;
// More rows than anyone reads. Only those near the screen are drawn; what is kept is about 1 KiB each.
export const kRowsMax = 100_000;
// Rows of a table or points of a chart: more than can be told apart.
export const kTableRowsMax = 1000;
const kLiveRowsMax = 2000;
// While live the histogram follows, but costs the server at most about this share of a processor.
const kLiveHistogramMillis = 2500;
const kLiveHistogramShare = 0.02;

const kEmptyState: SearchState = {
  view: null,
  window: null,
  searching: false,
  counting: false,
  loadingMore: false,
  cancelled: false,
  stale: false,
  rows: RowStore.empty,
  table: null,
  cursor: null,
  histogram: null,
  histogramProblem: null,
  stats: null,
  partial: null,
  problem: null,
  live: null,
};

function histogramOf(answer: HistogramAnswer, asked: Window): Histogram {
  const from = serverTime(answer.from);
  const to = serverTime(answer.to);
  return {
    from: Number.isNaN(from) ? asked.from : from,
    to: Number.isNaN(to) ? asked.to : to,
    step: answer.step_ns / 1e6,
    counts: answer.counts,
    total: answer.total,
  };
}

// What belongs to one run and ends with it.
interface Run {
  view: View;
  parts: QueryParts;
  remember: boolean;
  window: Window;
  abort: AbortController;
  queries: Set<string>; // running at the server
  feed: LiveFeed | null;
  timer: ReturnType<typeof setInterval> | null;
  // While live: rows that a search has brought, and that the tail may bring again.
  brought: RowBag;
  // While live: when the reader cleared the list; 0: never.
  clearedAt: number;
  // While live: the histogram is counted again at this time, by performance.now().
  countAgainAt: number;
}

export class SearchSession {
  readonly state = new Value<SearchState>(kEmptyState);
  // Width of the drawn histogram; it decides how many bars to ask for.
  histogramPixels = 960;
  private run: Run | null = null;
  private held = false;
  private remembers = false;
  // What tells levels apart in this logstore, once rows have shown it.
  private levels: LevelTerms | null = null;

  constructor(private readonly api: ApiClient) {}

  show(view: View): void {
    this.end();
    if (!view.project || !view.logstore) {
      this.state.set({ ...kEmptyState, view });
      return;
    }
    const window = resolveRange(view.range, this.api.now());
    const abort = new AbortController();
    const run: Run = {
      view,
      parts: splitQuery(view.query),
      remember: this.remembers,
      window,
      abort,
      queries: new Set(),
      feed: null,
      timer: null,
      brought: new RowBag([]),
      clearedAt: 0,
      countAgainAt: 0,
    };
    this.run = run;
    this.remembers = false;
    const before = this.state.get();
    const sameStore =
      before.view?.project === view.project && before.view?.logstore === view.logstore;
    if (!sameStore) this.levels = null;
    const kept = sameStore && !before.problem ? before : kEmptyState;
    const isStatement = run.parts.statement !== null;
    const rows = isStatement ? RowStore.empty : kept.rows;
    const table = isStatement ? kept.table : null;
    this.state.set({
      ...kEmptyState,
      view,
      window,
      rows,
      table,
      stale: rows.count > 0 || table !== null,
      histogram: kept.histogram,
    });
    if (isStatement) void this.runStatement(run);
    else if (view.live) this.startLive(run);
    else void this.searchFirst(run);
    void this.count(run);
  }

  // The next run is one that a person asked for by hand: the server keeps it in their history.
  remember(): void {
    this.remembers = true;
  }

  // The same view again, with a new idea of now.
  again(): void {
    const view = this.state.get().view;
    if (view) this.show(view);
  }

  // Stops what runs and keeps what has arrived.
  cancel(): void {
    const { searching, counting, loadingMore } = this.state.get();
    if (!searching && !counting && !loadingMore) return;
    this.end();
    this.state.patch({ searching: false, counting: false, loadingMore: false, cancelled: true });
    if (this.state.get().stale) {
      this.state.patch({ rows: RowStore.empty, table: null, stale: false, cursor: null });
    }
  }

  async more(): Promise<void> {
    const run = this.run;
    const { cursor, searching, loadingMore, rows } = this.state.get();
    if (!run || cursor === null || searching || loadingMore || rows.count >= kRowsMax) return;
    this.state.patch({ loadingMore: true });
    const limit = rows.count < kMuchMoreFrom ? kMoreRows : kMuchMoreRows;
    const answer = await this.ask(run, (call) =>
      this.api.search({ ...call, limit, cursor }, run.abort.signal),
    );
    if (!answer) return;
    const state = this.state.get();
    this.state.patch({
      loadingMore: false,
      rows: state.rows.append(answer.rows),
      cursor: answer.cursor,
      partial: answer.partial ?? state.partial,
    });
  }

  // Holds live rows back, in this run and in those that follow.
  setHeld(held: boolean): void {
    this.held = held;
    this.run?.feed?.setHeld(held);
  }

  dispose(): void {
    this.end();
  }

  private end(): void {
    const run = this.run;
    if (!run) return;
    this.run = null;
    run.abort.abort();
    run.feed?.stop();
    if (run.timer !== null) clearInterval(run.timer);
    for (const id of run.queries) void this.api.cancel(id);
  }

  // Makes one call of a run. Null when the run has ended meanwhile or the call failed (said in state).
  private async ask<T>(run: Run, make: (call: SearchCall) => Promise<T>): Promise<T | null> {
    const { project, logstore, query } = run.view;
    const id = newId();
    const from = unixNanosText(run.window.from);
    const to = unixNanosText(run.window.to);
    run.queries.add(id);
    try {
      const answer = await make({ project, logstore, query, from, to, id });
      return run === this.run ? answer : null;
    } catch (error) {
      if (run !== this.run || isAbort(error)) return null;
      if (!(error instanceof ApiError)) throw error;
      this.state.patch({ searching: false, loadingMore: false, problem: error });
      return null;
    } finally {
      run.queries.delete(id);
    }
  }

  private async searchFirst(run: Run): Promise<void> {
    this.state.patch({ searching: true });
    const history = run.remember;
    const answer = await this.ask(run, (call) =>
      this.api.search({ ...call, history, limit: kFirstRows, cursor: null }, run.abort.signal),
    );
    if (!answer) {
      if (run === this.run) this.state.patch({ rows: RowStore.empty, stale: false });
      return;
    }
    const { rows, cursor, stats, partial } = answer;
    this.levels = levelTerms(rows) ?? this.levels;
    this.state.patch({
      searching: false,
      stale: false,
      rows: RowStore.of(rows),
      cursor,
      stats,
      partial,
    });
    const { counting, histogram } = this.state.get();
    if (!counting && histogram) void this.countLevels(run, histogram);
  }

  private async runStatement(run: Run): Promise<void> {
    this.state.patch({ searching: true });
    const history = run.remember;
    const table = await this.ask(run, (call) =>
      this.api.sql({ ...call, history, limit: kTableRowsMax }, run.abort.signal),
    );
    if (table) {
      const { stats, partial } = table;
      this.state.patch({ searching: false, stale: false, table, stats, partial });
    } else if (run === this.run) {
      this.state.patch({ table: null, stale: false });
    }
  }

  // One histogram of `query` in the run's window; the caller says what a failure means.
  private async histogramFor(run: Run, query: string): Promise<HistogramAnswer> {
    const id = newId();
    const { project, logstore } = run.view;
    const from = unixNanosText(run.window.from);
    const to = unixNanosText(run.window.to);
    const buckets = bucketsFor(run.window, this.histogramPixels);
    run.queries.add(id);
    try {
      const call = { project, logstore, query, from, to, id, buckets };
      return await this.api.histogram(call, run.abort.signal);
    } finally {
      run.queries.delete(id);
    }
  }

  // Colours the bars: how many of each bar's rows are errors and warnings.
  private async countLevels(run: Run, histogram: Histogram): Promise<void> {
    const { levels } = this;
    if (!levels || histogram.total === 0 || histogram.levels) return;
    try {
      const [error, warn] = await Promise.all(
        [levels.error, levels.warn].map((term) =>
          this.histogramFor(run, addTerm(run.parts.search, term, 'include')),
        ),
      );
      if (run !== this.run || this.state.get().histogram !== histogram) return;
      const coloured = { error: error!.counts, warn: warn!.counts };
      this.state.patch({ histogram: { ...histogram, levels: coloured } });
    } catch (error) {
      // Without colours the bars still stand.
      if (!isAbort(error) && !(error instanceof ApiError)) throw error;
    }
  }

  private async count(run: Run): Promise<void> {
    this.state.patch({ counting: true });
    try {
      const answer = await this.histogramFor(run, run.parts.search);
      if (run !== this.run) return;
      // Levels are two more of the same.
      const calls = this.levels ? 3 : 1;
      run.countAgainAt = performance.now() + (calls * answer.stats.cpu_ms) / kLiveHistogramShare;
      const histogram = histogramOf(answer, run.window);
      const partial = this.state.get().partial ?? answer.partial;
      this.state.patch({ counting: false, histogram, histogramProblem: null, partial });
      if (!this.state.get().searching) void this.countLevels(run, histogram);
    } catch (error) {
      if (run !== this.run || isAbort(error)) return;
      if (!(error instanceof ApiError)) throw error;
      this.state.patch({ counting: false, histogram: null, histogramProblem: error.message });
    }
  }

  // Empties the list of a live run; what comes next is shown as before.
  clear(): void {
    if (this.run) this.run.clearedAt = this.api.now();
    this.state.patch({ rows: RowStore.empty, stale: false, cursor: null });
  }

  private startLive(run: Run): void {
    const { project, logstore, query } = run.view;
    const feed = new LiveFeed(
      (events, signal) => this.api.tail({ project, logstore }, query, events, signal),
      {
        onState: (live) => run === this.run && this.state.patch({ live }),
        onRows: (rows) => run === this.run && this.addLive(run.brought.without(rows)),
        onOpen: () => void this.backfill(run),
        onRefused: (error) => {
          if (run === this.run) this.state.patch({ problem: error, live: null });
        },
      },
    );
    run.feed = feed;
    run.timer = setInterval(() => this.refreshLive(run), kLiveHistogramMillis);
    feed.start();
    feed.setHeld(this.held);
  }

  private addLive(rows: Row[]): void {
    const state = this.state.get();
    const base = state.stale ? RowStore.empty : state.rows;
    const grown = base.prepend(rows);
    const cut = grown.cut(kLiveRowsMax);
    // Older rows than the last one kept cannot be loaded by the cursor of the last one loaded.
    this.state.patch({ rows: cut, stale: false, cursor: cut === grown ? state.cursor : null });
  }

  // The rows before the connection: those just before it started, or missed while it was broken.
  private async backfill(run: Run): Promise<void> {
    if (run !== this.run) return;
    run.window = resolveRange(run.view.range, this.api.now());
    const answer = await this.ask(run, (call) =>
      this.api.search({ ...call, limit: kFirstRows, cursor: null }, run.abort.signal),
    );
    if (!answer) return;
    this.levels = levelTerms(answer.rows) ?? this.levels;
    const state = this.state.get();
    const shown = state.stale ? RowStore.empty : state.rows;
    const known = shown.count > 0;
    // What the reader has cleared away does not come back.
    const wanted = answer.rows.filter((row) => parseRfc3339(row.time) >= run.clearedAt);
    const missing = new RowBag(shown.all().map(({ row }) => row)).without(wanted);
    run.brought = new RowBag(missing);
    this.state.patch({
      rows: known ? shown.merge(missing) : RowStore.of(missing),
      stale: false,
      cursor: run.clearedAt > 0 || (known && state.cursor !== null) ? state.cursor : answer.cursor,
      stats: answer.stats,
      partial: answer.partial,
    });
  }

  private refreshLive(run: Run): void {
    if (run !== this.run || this.state.get().counting || document.hidden) return;
    if (performance.now() < run.countAgainAt) return;
    run.window = resolveRange(run.view.range, this.api.now());
    this.state.patch({ window: run.window });
    void this.count(run);
  }
}
