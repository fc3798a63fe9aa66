// One dashboard: a grid of panels over one range of time, refreshed by hand or by the clock, and its editing.
import { useEffect, useState } from 'preact/hooks';
import { dashboards, type Dashboard, type Panel } from '../../api/library';
import { t } from '../../i18n/i18n';
import { boundText, kNow, parseBound, resolveRange, type TimeRange } from '../../model/time_range';
import { oneOf, putRange, rangeFrom } from '../../model/view';
import { useServices } from '../../state/services';
import { useValue } from '../../ui/hooks';
import { Icon } from '../../ui/icon';
import { useAttempt, useLoaded } from '../../ui/loaded';
import { Page } from '../../ui/page';
import { StateNotice } from '../../ui/state_notice';
import { useProject } from '../../ui/use_project';
import { TimePicker } from '../search/time_picker';
import { PanelDialog } from './panel_dialog';
import { PanelView } from './panel_view';

const kRefreshes = ['off', '10s', '30s', '1m', '5m'] as const;
type Refresh = (typeof kRefreshes)[number];
const kRefreshMillis: Record<Refresh, number> = {
  off: 0,
  '10s': 10_000,
  '30s': 30_000,
  '1m': 60_000,
  '5m': 300_000,
};

function storedRange({ from, to }: Dashboard): TimeRange {
  const first = parseBound(from, 'utc', 0);
  return first
    ? { from: first, to: parseBound(to || 'now', 'utc', 0) ?? kNow }
    : { from: { kind: 'ago', ms: 3_600_000 }, to: kNow };
}

// What the address says of the dashboard that is shown.
function useLooks(project: string, name: string, stored: Dashboard | null) {
  const { router } = useServices();
  const { params } = useValue(router.route);
  const range = rangeFrom(params, stored ? storedRange(stored) : undefined);
  const refresh = oneOf(params.get('refresh'), kRefreshes) ?? 'off';
  const editing = params.get('edit') === '1';
  const go = (change: { range?: TimeRange; refresh?: Refresh; editing?: boolean }) => {
    const next = new URLSearchParams({ project, name });
    if (change.range ?? params.has('from')) putRange(next, change.range ?? range);
    const every = change.refresh ?? refresh;
    if (every !== 'off') next.set('refresh', every);
    if (change.editing ?? editing) next.set('edit', '1');
    router.go('dashboards', next);
  };
  return { range, refresh, editing, go };
}

// Counts up at each refresh; panels ask again when it changes.
function useRounds(refresh: Refresh): [number, () => void] {
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (refresh === 'off') return undefined;
    const timer = setInterval(
      () => !document.hidden && setRound((n) => n + 1),
      kRefreshMillis[refresh],
    );
    return () => clearInterval(timer);
  }, [refresh]);
  return [round, () => setRound((n) => n + 1)];
}

function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const next = [...list];
  const [item] = next.splice(from, 1);
  next.splice(Math.max(0, Math.min(next.length, to)), 0, item!);
  return next;
}

interface EditBarProps {
  index: number;
  count: number;
  onMove: (to: number) => void;
  onEdit: () => void;
  onRemove: () => void;
}

function EditBar({ index, count, onMove, onEdit, onRemove }: EditBarProps) {
  const buttons = [
    ['left', t('dashboards.panel_earlier'), () => onMove(index - 1), index === 0],
    ['right', t('dashboards.panel_later'), () => onMove(index + 1), index === count - 1],
    ['edit', t('dashboards.panel_edit'), onEdit, false],
    ['trash', t('dashboards.panel_remove'), onRemove, false],
  ] as const;
  return (
    <span class="panel-buttons">
      {buttons.map(([icon, label, run, disabled]) => (
        <button
          key={icon}
          type="button"
          class="icon-button"
          aria-label={label}
          title={label}
          disabled={disabled}
          onClick={run}
        >
          <Icon name={icon} size={14} />
        </button>
      ))}
    </span>
  );
}

function newPanel(logstore: string): Panel {
  return {
    title: '',
    logstores: logstore ? [logstore] : [],
    q: '* | timechart 1m count()',
    chart: 'line',
    width: 6,
  };
}

export function DashboardView({ project, name }: { project: string; name: string }) {
  const { api, prefs } = useServices();
  const { zone } = useValue(prefs);
  const { logstores } = useProject();
  const attempt = useAttempt();
  const loaded = useLoaded(() => dashboards.get(api, project, name), [project, name]);
  const looks = useLooks(project, name, loaded.value);
  const [round, refreshNow] = useRounds(looks.refresh);
  // While editing: the panels as they would be saved.
  const [draft, setDraft] = useState<Panel[] | null>(null);
  const [open, setOpen] = useState<{ panel: Panel; index: number } | null>(null);
  const panels = draft ?? loaded.value?.panels ?? [];
  const editing = looks.editing;

  const save = async () => {
    if (!loaded.value) return;
    const { from, to } = looks.range;
    const changed = { ...loaded.value, panels, from: boundText(from), to: boundText(to) };
    if (!(await attempt(() => dashboards.put(api, project, changed), t('app.saved')))) return;
    loaded.again();
    setDraft(null);
    looks.go({ editing: false });
  };
  const put = (panel: Panel) => {
    if (!open) return;
    const next = [...panels];
    next[open.index] = panel;
    setDraft(next);
    setOpen(null);
  };
  const actions = (
    <div class="dashboard-actions">
      <TimePicker
        range={looks.range}
        zone={zone}
        now={() => api.now()}
        onRange={(range) => looks.go({ range })}
      />
      <button
        type="button"
        class="button"
        id="refresh"
        aria-label={t('dashboards.refresh_now')}
        title={t('dashboards.refresh_now')}
        onClick={refreshNow}
      >
        <Icon name="refresh" />
      </button>
      <select
        class="input"
        id="refresh-every"
        aria-label={t('dashboards.refresh')}
        value={looks.refresh}
        onChange={(event) => looks.go({ refresh: event.currentTarget.value as Refresh })}
      >
        {kRefreshes.map((each) => (
          <option key={each} value={each}>
            {each === 'off'
              ? t('dashboards.refresh_off')
              : t('dashboards.refresh_every', { span: each })}
          </option>
        ))}
      </select>
      {editing ? (
        <>
          <button
            type="button"
            class="button"
            id="add-panel"
            onClick={() => setOpen({ panel: newPanel(logstores[0] ?? ''), index: panels.length })}
          >
            <Icon name="plus" />
            {t('dashboards.panel_add')}
          </button>
          <button
            type="button"
            class="button"
            onClick={() => {
              setDraft(null);
              looks.go({ editing: false });
            }}
          >
            {t('app.cancel')}
          </button>
          <button
            type="button"
            class="button button-primary"
            id="save-dashboard"
            onClick={() => void save()}
          >
            {t('app.save')}
          </button>
        </>
      ) : (
        loaded.value?.editable !== false && (
          <button
            type="button"
            class="button"
            id="edit-dashboard"
            onClick={() => looks.go({ editing: true })}
          >
            <Icon name="edit" />
            {t('app.edit')}
          </button>
        )
      )}
    </div>
  );
  const window = resolveRange(looks.range, api.now());
  return (
    <Page page="dashboards" title={loaded.value?.title ?? name} actions={actions}>
      <StateNotice loaded={loaded} />
      {loaded.value && panels.length === 0 && (
        <div class="empty">
          <Icon name="grid" size={40} />
          <h2>{t('dashboards.no_panels')}</h2>
          <p>{t('dashboards.no_panels_text')}</p>
        </div>
      )}
      <div class="panels">
        {panels.map((panel, index) => (
          <PanelView
            key={`${index}${panel.title}${panel.q}`}
            panel={panel}
            project={project}
            range={looks.range}
            window={window}
            round={round}
            zone={zone}
          >
            {editing && (
              <EditBar
                index={index}
                count={panels.length}
                onMove={(to) => setDraft(moved(panels, index, to))}
                onEdit={() => setOpen({ panel, index })}
                onRemove={() => setDraft(panels.filter((_, at) => at !== index))}
              />
            )}
          </PanelView>
        ))}
      </div>
      {open && (
        <PanelDialog
          panel={open.panel}
          {...{ project, logstores }}
          onClose={() => setOpen(null)}
          onDone={put}
        />
      )}
    </Page>
  );
}
