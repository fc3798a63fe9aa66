// Making, changing and deleting a logstore.
import { useState } from 'preact/hooks';
import { ApiError } from '../../api/client';
import { logstores } from '../../api/admin';
import { t, tn } from '../../i18n/i18n';
import { countText } from '../../model/number';
import { useServices } from '../../state/services';
import { Dialog } from '../../ui/dialog';
import { Form, TextField } from '../../ui/form';
import { useAttempt } from '../../ui/loaded';
import type { Chosen } from './logstores_page';

interface Done {
  onClose: () => void;
  onDone: () => void;
}

function orNull(text: string): string | null {
  return text.trim() === '' ? null : text.trim();
}

interface RetentionProps {
  age: string;
  size: string;
  onAge: (text: string) => void;
  onSize: (text: string) => void;
}

function RetentionFields({ age, size, onAge, onSize }: RetentionProps) {
  return (
    <>
      <TextField
        id="retention"
        label={t('logstores.retention_age')}
        value={age}
        onInput={onAge}
        placeholder="30d"
        hint={t('logstores.retention_hint')}
        mono
      />
      <TextField
        id="retention-size"
        label={t('logstores.retention_size')}
        value={size}
        onInput={onSize}
        placeholder="10GiB"
        mono
      />
    </>
  );
}

export function CreateDialog({ projects, onClose, onDone }: Done & { projects: string[] }) {
  const { api } = useServices();
  const attempt = useAttempt();
  const [project, setProject] = useState(projects[0] ?? 'default');
  const [name, setName] = useState('');
  const [age, setAge] = useState('30d');
  const [size, setSize] = useState('');
  const create = async () => {
    const worked = await attempt(
      async () => {
        if (!projects.includes(project)) {
          try {
            await logstores.createProject(api, project.trim());
          } catch (error) {
            // Somebody else made it meanwhile.
            if (!(error instanceof ApiError) || error.status !== 409) throw error;
          }
        }
        const settings = { retention: orNull(age), retention_size: orNull(size) };
        await logstores.create(api, project.trim(), name.trim(), settings);
      },
      t('logstores.created', { name }),
    );
    if (worked) onDone();
  };
  return (
    <Dialog title={t('logstores.create')} onClose={onClose}>
      <Form
        submit={t('logstores.create')}
        disabled={!name.trim() || !project.trim()}
        onSubmit={() => void create()}
        onCancel={onClose}
      >
        <TextField
          id="logstore-name"
          label={t('logstores.name')}
          value={name}
          onInput={setName}
          required
          autoFocus
          mono
        />
        <TextField
          id="project"
          label={t('logstores.project')}
          value={project}
          onInput={setProject}
          required
          mono
        />
        <RetentionFields age={age} size={size} onAge={setAge} onSize={setSize} />
      </Form>
    </Dialog>
  );
}

export function RetentionDialog({ chosen, onClose, onDone }: Done & { chosen: Chosen }) {
  const { api } = useServices();
  const attempt = useAttempt();
  const { project, store } = chosen;
  const [age, setAge] = useState(store.retention ?? '');
  const [size, setSize] = useState(store.retention_size ?? '');
  const change = async () => {
    const settings = { retention: orNull(age), retention_size: orNull(size) };
    if (await attempt(() => logstores.change(api, project, store.name, settings), t('app.saved')))
      onDone();
  };
  return (
    <Dialog title={t('logstores.change', { name: store.name })} onClose={onClose}>
      <Form submit={t('app.save')} onSubmit={() => void change()} onCancel={onClose}>
        <RetentionFields age={age} size={size} onAge={setAge} onSize={setSize} />
      </Form>
    </Dialog>
  );
}

export function DeleteDialog({ chosen, onClose, onDone }: Done & { chosen: Chosen }) {
  const { api } = useServices();
  const attempt = useAttempt();
  const { project, store } = chosen;
  const [typed, setTyped] = useState('');
  const remove = async () => {
    const done = t('logstores.deleted', { name: store.name });
    if (await attempt(() => logstores.remove(api, project, store.name), done)) onDone();
  };
  return (
    <Dialog title={t('logstores.delete', { name: store.name })} onClose={onClose}>
      <Form
        submit={t('app.delete')}
        danger
        disabled={typed !== store.name}
        onSubmit={() => void remove()}
        onCancel={onClose}
      >
        <p>{tn('logstores.delete_text', store.rows, countText(store.rows))}</p>
        <TextField
          id="confirm"
          label={t('logstores.delete_type', { name: store.name })}
          value={typed}
          onInput={setTyped}
          autoFocus
          mono
        />
      </Form>
    </Dialog>
  );
}
