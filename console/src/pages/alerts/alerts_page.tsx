// Alerts: searches on a schedule, whether they fire, and for which groups.
import { useState } from 'preact/hooks';
import { alerts, type Alert, type AlertState } from '../../api/admin';
import { routeText } from '../../base/route';
import { t } from '../../i18n/i18n';
import { shortNumber } from '../../model/plot';
import { dateTimeText, kHour, rfc3339Text, serverTime, type Zone } from '../../model/time';
import { useServices } from '../../state/services';
import { Dialog } from '../../ui/dialog';
import { Form } from '../../ui/form';
import { useValue } from '../../ui/hooks';
import { Icon } from '../../ui/icon';
import { useAttempt, useLoaded } from '../../ui/loaded';
import { Page } from '../../ui/page';
import { ProjectChoice } from '../../ui/project_choice';
import { StateNotice } from '../../ui/state_notice';
import { useProject } from '../../ui/use_project';
import { AlertDialog } from './alert_dialog';
import { newAlert } from './alert_form';

const kRefreshMillis = 15_000;
const kGroupsShown = 5;
const kSilenceHours = [1, 4, 24] as const;

type Open =
  { kind: 'edit'; alert: Alert; isNew: boolean } | { kind: 'delete'; alert: AlertState } | null;

function labelsText(labels: Record<string, string>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function Groups({ alert }: { alert: AlertState }) {
  const active = alert.groups.filter(({ state }) => state !== 'ok');
  if (active.length === 0) return null;
  return (
    <ul class="alert-groups">
      {active.slice(0, kGroupsShown).map((group) => (
        <li key={labelsText(group.labels)}>
          <span class={`state state-${group.state}`}>
            {group.value === null ? '–' : shortNumber(group.value)}
          </span>
          <span class="mono">{labelsText(group.labels)}</span>
        </li>
      ))}
      {active.length > kGroupsShown && (
        <li class="hint">{t('alerts.more_groups', { n: active.length - kGroupsShown })}</li>
      )}
    </ul>
  );
}

function Silence({
  alert,
  project,
  onDone,
}: {
  alert: AlertState;
  project: string;
  onDone: () => void;
}) {
  const { api } = useServices();
  const attempt = useAttempt();
  const silenced = serverTime(alert.silenced_until) > api.now();
  const set = async (hours: number) => {
    const until = hours > 0 ? rfc3339Text(api.now() + hours * kHour) : null;
    if (await attempt(() => alerts.silence(api, project, alert.name, until), t('app.saved')))
      onDone();
  };
  return (
    <select
      class="input input-small"
      aria-label={t('alerts.silence', { name: alert.name })}
      value=""
      onChange={(event) => void set(Number(event.currentTarget.value))}
    >
      <option value="" disabled hidden>
        {t(silenced ? 'alerts.silenced' : 'alerts.silence_short')}
      </option>
      {silenced && <option value="0">{t('alerts.unsilence')}</option>}
      {kSilenceHours.map((hours) => (
        <option key={hours} value={hours}>
          {t('alerts.silence_hours', { n: hours })}
        </option>
      ))}
    </select>
  );
}

interface CardProps {
  alert: AlertState;
  project: string;
  zone: Zone;
  onOpen: (open: Open) => void;
  onDone: () => void;
}

function conditionText({ condition }: Alert): string {
  return `${condition.column ?? t('alerts.count')} ${condition.op} ${condition.value}`;
}

function AlertCard({ alert, project, zone, onOpen, onDone }: CardProps) {
  const lastRun = serverTime(alert.last_run);
  const link = routeText(
    'search',
    new URLSearchParams({
      project,
      logstore: alert.logstores.join(','),
      q: alert.q,
      from: `-${alert.window}`,
    }),
  );
  const state = alert.enabled ? alert.state : 'off';
  return (
    <li class="box alert">
      <div class="alert-head">
        <span class={`state state-${state}`}>{t(`alerts.state.${state}`)}</span>
        <h2>{alert.name}</h2>
        <span class="grow" />
        <Silence {...{ alert, project, onDone }} />
        <button
          type="button"
          class="icon-button"
          aria-label={t('alerts.edit', { name: alert.name })}
          title={t('alerts.edit', { name: alert.name })}
          onClick={() => onOpen({ kind: 'edit', alert, isNew: false })}
        >
          <Icon name="edit" />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label={t('alerts.delete', { name: alert.name })}
          title={t('alerts.delete', { name: alert.name })}
          onClick={() => onOpen({ kind: 'delete', alert })}
        >
          <Icon name="trash" />
        </button>
      </div>
      <a class="alert-query mono" href={link}>
        {alert.q || '*'}
      </a>
      <p class="hint">
        {t('alerts.rule', {
          condition: conditionText(alert),
          window: alert.window,
          every: alert.every,
          for: alert.for,
        })}
        {!Number.isNaN(lastRun) &&
          ` · ${t('alerts.last_run', { time: dateTimeText(Math.floor(lastRun / 1000) * 1000, zone) })}`}
      </p>
      {alert.error && <p class="field-error">{alert.error}</p>}
      <Groups alert={alert} />
    </li>
  );
}

function DeleteDialog({
  alert,
  project,
  onClose,
  onDone,
}: {
  alert: AlertState;
  project: string;
  onClose: () => void;
  onDone: () => void;
}) {
  const { api } = useServices();
  const attempt = useAttempt();
  const remove = async () => {
    const done = t('alerts.deleted', { name: alert.name });
    if (await attempt(() => alerts.remove(api, project, alert.name), done)) onDone();
  };
  return (
    <Dialog title={t('alerts.delete', { name: alert.name })} onClose={onClose}>
      <Form submit={t('app.delete')} danger onSubmit={() => void remove()} onCancel={onClose}>
        <p>{t('alerts.delete_text')}</p>
      </Form>
    </Dialog>
  );
}

const kOrder = { firing: 0, error: 1, pending: 2, ok: 3 };

export function AlertsPage() {
  const { api, prefs } = useServices();
  const { zone } = useValue(prefs);
  const { project, projects, logstores } = useProject();
  const [open, setOpen] = useState<Open>(null);
  const loaded = useLoaded(
    async () => (project ? alerts.all(api, project) : []),
    [project],
    kRefreshMillis,
  );
  const sorted = [...(loaded.value ?? [])].sort(
    (a, b) => kOrder[a.state] - kOrder[b.state] || (a.name < b.name ? -1 : 1),
  );
  const close = () => setOpen(null);
  const done = () => {
    close();
    loaded.again();
  };
  const actions = (
    <>
      <ProjectChoice page="alerts" project={project} projects={projects} />
      <button
        type="button"
        class="button button-primary"
        id="create-alert"
        disabled={logstores.length === 0}
        onClick={() => setOpen({ kind: 'edit', alert: newAlert(logstores[0]!), isNew: true })}
      >
        <Icon name="plus" />
        {t('alerts.create')}
      </button>
    </>
  );
  return (
    <Page page="alerts" lead={t('alerts.lead')} actions={actions}>
      <StateNotice loaded={loaded} />
      {project !== '' && !loaded.problem && loaded.value?.length === 0 && (
        <div class="empty">
          <Icon name="bell" size={40} />
          <h2>{t('alerts.none')}</h2>
          <p>{t('alerts.none_text')}</p>
        </div>
      )}
      <ul class="alerts">
        {sorted.map((alert) => (
          <AlertCard
            key={alert.name}
            {...{ alert, project, zone }}
            onOpen={setOpen}
            onDone={done}
          />
        ))}
      </ul>
      {open?.kind === 'edit' && (
        <AlertDialog
          alert={open.alert}
          isNew={open.isNew}
          {...{ project, logstores }}
          onClose={close}
          onDone={done}
        />
      )}
      {open?.kind === 'delete' && (
        <DeleteDialog alert={open.alert} project={project} onClose={close} onDone={done} />
      )}
    </Page>
  );
}
