// Dashboards: the list of them, or the one that the address names.
import { useState } from 'preact/hooks';
import { dashboards, type Dashboard } from '../../api/library';
import { routeText } from '../../base/route';
import { t, tn } from '../../i18n/i18n';
import { useServices } from '../../state/services';
import { Dialog } from '../../ui/dialog';
import { Form, TextField } from '../../ui/form';
import { useValue } from '../../ui/hooks';
import { Icon } from '../../ui/icon';
import { useAttempt, useLoaded } from '../../ui/loaded';
import { Page } from '../../ui/page';
import { ProjectChoice } from '../../ui/project_choice';
import { StateNotice } from '../../ui/state_notice';
import { useProject } from '../../ui/use_project';
import { DashboardView } from './dashboard_view';

function addressOf(project: string, name: string): string {
  return routeText('dashboards', new URLSearchParams({ project, name }));
}

// A title as a name that can stand in an address.
export function nameOf(title: string): string {
  const plain = title
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  return plain || 'dashboard';
}

function CreateDialog({
  project,
  taken,
  onClose,
}: {
  project: string;
  taken: string[];
  onClose: () => void;
}) {
  const { api, router } = useServices();
  const attempt = useAttempt();
  const [title, setTitle] = useState('');
  const create = async () => {
    let name = nameOf(title);
    for (let n = 2; taken.includes(name); ++n) name = `${nameOf(title)}-${n}`;
    const made: Dashboard = { name, title: title.trim(), panels: [], from: '-1h', to: 'now' };
    if (!(await attempt(() => dashboards.put(api, project, made)))) return;
    router.go('dashboards', new URLSearchParams({ project, name, edit: '1' }));
    onClose();
  };
  return (
    <Dialog title={t('dashboards.create')} onClose={onClose}>
      <Form
        submit={t('dashboards.create')}
        disabled={!title.trim()}
        onSubmit={() => void create()}
        onCancel={onClose}
      >
        <TextField
          id="dashboard-title"
          label={t('dashboards.title')}
          value={title}
          onInput={setTitle}
          autoFocus
        />
      </Form>
    </Dialog>
  );
}

function DeleteDialog({
  project,
  dashboard,
  onClose,
  onDone,
}: {
  project: string;
  dashboard: Dashboard;
  onClose: () => void;
  onDone: () => void;
}) {
  const { api } = useServices();
  const attempt = useAttempt();
  const remove = async () => {
    if (await attempt(() => dashboards.remove(api, project, dashboard.name))) onDone();
  };
  return (
    <Dialog title={t('dashboards.delete', { name: dashboard.title })} onClose={onClose}>
      <Form submit={t('app.delete')} danger onSubmit={() => void remove()} onCancel={onClose}>
        <p>{t('dashboards.delete_text')}</p>
      </Form>
    </Dialog>
  );
}

function DashboardList() {
  const { api } = useServices();
  const { project, projects } = useProject();
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<Dashboard | null>(null);
  const loaded = useLoaded(async () => (project ? dashboards.all(api, project) : []), [project]);
  const list = loaded.value ?? [];
  const actions = (
    <>
      <ProjectChoice page="dashboards" project={project} projects={projects} />
      <button
        type="button"
        class="button button-primary"
        id="create-dashboard"
        disabled={!project}
        onClick={() => setCreating(true)}
      >
        <Icon name="plus" />
        {t('dashboards.create')}
      </button>
    </>
  );
  return (
    <Page page="dashboards" lead={t('dashboards.lead')} actions={actions}>
      <StateNotice loaded={loaded} />
      {project !== '' && loaded.value && list.length === 0 && (
        <div class="empty">
          <Icon name="grid" size={40} />
          <h2>{t('dashboards.none')}</h2>
          <p>{t('dashboards.none_text')}</p>
        </div>
      )}
      <ul class="cards">
        {list.map((dashboard) => (
          <li key={dashboard.name} class="box card-line">
            <a class="card-link" href={addressOf(project, dashboard.name)}>
              <strong>{dashboard.title || dashboard.name}</strong>
              <span class="hint">{tn('dashboards.panels', dashboard.panels.length)}</span>
            </a>
            {dashboard.editable !== false && (
              <button
                type="button"
                class="icon-button"
                aria-label={t('dashboards.delete', { name: dashboard.title })}
                title={t('dashboards.delete', { name: dashboard.title })}
                onClick={() => setDeleting(dashboard)}
              >
                <Icon name="trash" />
              </button>
            )}
          </li>
        ))}
      </ul>
      {creating && (
        <CreateDialog
          project={project}
          taken={list.map(({ name }) => name)}
          onClose={() => setCreating(false)}
        />
      )}
      {deleting && (
        <DeleteDialog
          project={project}
          dashboard={deleting}
          onClose={() => setDeleting(null)}
          onDone={() => {
            setDeleting(null);
            loaded.again();
          }}
        />
      )}
    </Page>
  );
}

export function DashboardsPage() {
  const { router } = useServices();
  const { params } = useValue(router.route);
  const name = params.get('name');
  const project = params.get('project');
  if (name && project)
    return <DashboardView key={`${project}/${name}`} project={project} name={name} />;
  return <DashboardList />;
}
