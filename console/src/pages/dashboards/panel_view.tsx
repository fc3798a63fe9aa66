// One panel of a dashboard: asks its query, draws the answer, keeps the one before while it asks again.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiError, isAbort } from '../../api/client';
import type { Panel } from '../../api/library';
import type { SqlAnswer } from '../../api/types';
import { routeText } from '../../base/route';
import { t } from '../../i18n/i18n';
import type { Zone } from '../../model/time';
import {
  parseBound,
  resolveRange,
  kNow,
  type TimeRange,
  type Window,
} from '../../model/time_range';
import { kDefaultView, viewParams } from '../../model/view';
import { newId } from '../../base/id';
import { useServices } from '../../state/services';
import { ChartView } from '../../ui/chart/chart_view';
import { askPanel } from './panel_query';

interface Props {
  panel: Panel;
  project: string;
  range: TimeRange;
  window: Window;
  round: number;
  zone: Zone;
  // Buttons of the editor.
  children: ComponentChildren;
}

const kChartHeight = 220;

// The panel's own range where it has one.
function rangeOf(panel: Panel, range: TimeRange): TimeRange {
  const from = panel.from ? parseBound(panel.from, 'utc', 0) : null;
  return from ? { from, to: parseBound(panel.to || 'now', 'utc', 0) ?? kNow } : range;
}

interface State {
  answer: SqlAnswer | null;
  problem: string | null;
  loading: boolean;
}

function useAnswer({ panel, project, range, round }: Props): State {
  const { api } = useServices();
  const [state, setState] = useState<State>({ answer: null, problem: null, loading: true });
  const asked = rangeOf(panel, range);
  useEffect(() => {
    const abort = new AbortController();
    const id = newId();
    let running = true;
    setState((before) => ({ ...before, loading: true }));
    const ended = () => {
      running = false;
    };
    const call = askPanel(api, project, panel, resolveRange(asked, api.now()), id, abort.signal);
    call.finally(ended).then(
      (answer) => !abort.signal.aborted && setState({ answer, problem: null, loading: false }),
      (error: unknown) => {
        if (isAbort(error) || abort.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        setState({ answer: null, problem: error.message, loading: false });
      },
    );
    return () => {
      abort.abort();
      if (running) void api.cancel(id);
    };
  }, [project, panel, round, JSON.stringify(asked)]);
  return state;
}

export function PanelView(props: Props) {
  const { panel, project, range, zone, children } = props;
  const { answer, problem, loading } = useAnswer(props);
  const link = routeText(
    'search',
    viewParams({
      ...kDefaultView,
      project,
      logstore: panel.logstores.join(','),
      query: panel.q,
      range: rangeOf(panel, range),
      chart: panel.chart,
    }),
  );
  const title = panel.title || panel.q || '*';
  return (
    <section
      class="box panel-box"
      style={{ '--width': panel.width }}
      aria-label={title}
      aria-busy={loading}
    >
      <header class="panel-head">
        <a href={link} title={t('dashboards.panel_open')}>
          <h2>{title}</h2>
        </a>
        <span class="grow" />
        {children}
      </header>
      <div class={`panel-body ${loading && answer ? 'rows-stale' : ''}`}>
        {problem && <p class="field-error">{problem}</p>}
        {answer?.partial && <p class="hint">{t('notice.partial', { why: answer.partial })}</p>}
        {answer && (
          <ChartView
            answer={answer}
            kind={panel.chart}
            zone={zone}
            height={kChartHeight}
            title={title}
          />
        )}
        {!answer && !problem && <p class="waiting">{t('app.loading')}</p>}
      </div>
    </section>
  );
}
