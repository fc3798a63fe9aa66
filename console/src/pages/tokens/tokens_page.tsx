// Tokens of programs and people. A new one is shown once; the server keeps only its hash.
import { useState } from 'preact/hooks';
import { tokens, type Token } from '../../api/admin';
import { t } from '../../i18n/i18n';
import { dateTimeText, serverTime, type Zone } from '../../model/time';
import { copyText, useServices } from '../../state/services';
import { Dialog } from '../../ui/dialog';
import { ChoiceField, Form, TextField } from '../../ui/form';
import { useValue } from '../../ui/hooks';
import { Icon } from '../../ui/icon';
import { useAttempt, useLoaded } from '../../ui/loaded';
import { Page } from '../../ui/page';
import { StateNotice } from '../../ui/state_notice';

type Role = 'viewer' | 'ingest' | 'admin';

interface Done {
  onClose: () => void;
  onDone: () => void;
}

function CreateDialog({ onClose, onDone }: Done) {
  const { api, catalog, toaster } = useServices();
  const { projects } = useValue(catalog.state);
  const attempt = useAttempt();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [project, setProject] = useState('');
  const [secret, setSecret] = useState('');
  const create = () =>
    attempt(async () => {
      const limited = project && role !== 'admin' ? { project } : {};
      setSecret((await tokens.create(api, { name: name.trim(), role, ...limited })).token);
    });
  if (secret) {
    return (
      <Dialog title={t('tokens.created')} onClose={onDone}>
        <p>{t('tokens.once')}</p>
        <div class="snippet secret">
          <pre id="new-token">{secret}</pre>
          <button
            type="button"
            class="icon-button"
            aria-label={t('tokens.copy')}
            title={t('tokens.copy')}
            onClick={() => void copyText(secret, toaster)}
          >
            <Icon name="copy" />
          </button>
        </div>
        <div class="form-buttons">
          <button type="button" class="button button-primary" onClick={onDone}>
            {t('tokens.kept')}
          </button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t('tokens.create')} onClose={onClose}>
      <Form
        submit={t('tokens.create')}
        disabled={!name.trim()}
        onSubmit={() => void create()}
        onCancel={onClose}
      >
        <TextField
          id="token-name"
          label={t('tokens.name')}
          value={name}
          onInput={setName}
          hint={t('tokens.name_hint')}
          required
          autoFocus
        />
        <ChoiceField<Role>
          id="token-role"
          label={t('tokens.role')}
          value={role}
          options={[
            ['viewer', t('tokens.role.viewer')],
            ['ingest', t('tokens.role.ingest')],
            ['admin', t('tokens.role.admin')],
          ]}
          onChange={setRole}
        />
        {role !== 'admin' && (
          <ChoiceField<string>
            id="token-project"
            label={t('tokens.project')}
            value={project}
            options={[
              ['', t('tokens.all_projects')],
              ...projects.map(({ name: each }) => [each, each] as const),
            ]}
            onChange={setProject}
          />
        )}
      </Form>
    </Dialog>
  );
}

function DeleteDialog({ token, onClose, onDone }: Done & { token: Token }) {
  const { api } = useServices();
  const attempt = useAttempt();
  const remove = async () => {
    if (
      await attempt(() => tokens.remove(api, token.id), t('tokens.deleted', { name: token.name }))
    )
      onDone();
  };
  return (
    <Dialog title={t('tokens.delete', { name: token.name })} onClose={onClose}>
      <Form submit={t('app.delete')} danger onSubmit={() => void remove()} onCancel={onClose}>
        <p>{t('tokens.delete_text')}</p>
      </Form>
    </Dialog>
  );
}

function timeText(value: Token['last_used'], zone: Zone): string {
  const ms = serverTime(value);
  return Number.isNaN(ms) ? t('tokens.never') : dateTimeText(Math.floor(ms / 1000) * 1000, zone);
}

export function TokensPage() {
  const { api, prefs, catalog } = useServices();
  const { zone } = useValue(prefs);
  const [creating, setCreating] = useState(false);
  const [deleting, setDeleting] = useState<Token | null>(null);
  const loaded = useLoaded(async () => {
    const [all] = await Promise.all([tokens.all(api), catalog.load()]);
    return all;
  });
  const done = () => {
    setCreating(false);
    setDeleting(null);
    loaded.again();
  };
  const actions = (
    <button
      type="button"
      class="button button-primary"
      id="create-token"
      onClick={() => setCreating(true)}
    >
      <Icon name="plus" />
      {t('tokens.create')}
    </button>
  );
  return (
    <Page page="tokens" lead={t('tokens.lead')} actions={actions}>
      <StateNotice loaded={loaded} />
      {loaded.value && (
        <section class="box box-table">
          <div class="table-box">
            <table class="table" aria-label={t('page.tokens')}>
              <thead>
                <tr>
                  {(['name', 'role', 'project', 'created_at', 'last_used'] as const).map((head) => (
                    <th key={head} scope="col">
                      {t(`tokens.${head}`)}
                    </th>
                  ))}
                  <th scope="col">
                    <span class="heard">{t('app.actions')}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {loaded.value.map((token) => (
                  <tr key={token.id}>
                    <th scope="row">{token.name}</th>
                    <td>
                      <span class="tag">{token.role}</span>
                    </td>
                    <td>{token.project ?? t('tokens.all_projects')}</td>
                    <td class="cell-time">{timeText(token.created, zone)}</td>
                    <td class="cell-time">{timeText(token.last_used, zone)}</td>
                    <td class="cell-buttons">
                      <button
                        type="button"
                        class="icon-button"
                        aria-label={t('tokens.delete', { name: token.name })}
                        title={t('tokens.delete', { name: token.name })}
                        onClick={() => setDeleting(token)}
                      >
                        <Icon name="trash" />
                      </button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
      {creating && <CreateDialog onClose={() => setCreating(false)} onDone={done} />}
      {deleting && (
        <DeleteDialog token={deleting} onClose={() => setDeleting(null)} onDone={done} />
      )}
    </Page>
  );
}
