// Makes or changes an alert.
import { useState } from 'preact/hooks';
import { alerts, type Alert, type Operator } from '../../api/admin';
import { t, type TextKey } from '../../i18n/i18n';
import { useServices } from '../../state/services';
import { Dialog } from '../../ui/dialog';
import { ChoiceField, Form, TextField } from '../../ui/form';
import { useAttempt } from '../../ui/loaded';
import { LogstoreChecks } from '../../ui/logstore_checks';
import { alertOf, formOf, kOperators, wrongBox, type AlertForm } from './alert_form';

interface Props {
  alert: Alert;
  isNew: boolean;
  project: string;
  logstores: string[];
  onClose: () => void;
  onDone: () => void;
}

const kWrong: Record<string, TextKey> = {
  name: 'alerts.wrong.name',
  value: 'alerts.wrong.value',
  logstores: 'alerts.wrong.logstores',
  url: 'alerts.wrong.url',
};

interface PartProps {
  form: AlertForm;
  set: (change: Partial<AlertForm>) => void;
}

function Condition({ form, set }: PartProps) {
  return (
    <div class="form-row">
      <TextField
        id="alert-column"
        label={t('alerts.column')}
        value={form.column}
        onInput={(column) => set({ column })}
        placeholder={t('alerts.count')}
        mono
      />
      <ChoiceField<Operator>
        id="alert-op"
        label={t('alerts.op')}
        value={form.op}
        options={kOperators.map((op) => [op, op] as const)}
        onChange={(op) => set({ op })}
      />
      <TextField
        id="alert-value"
        label={t('alerts.value')}
        value={form.value}
        onInput={(value) => set({ value })}
        mono
      />
    </div>
  );
}

function Times({ form, set }: PartProps) {
  return (
    <div class="form-row form-row-4">
      <TextField
        id="alert-window"
        label={t('alerts.window')}
        value={form.window}
        onInput={(window) => set({ window })}
        mono
      />
      <TextField
        id="alert-every"
        label={t('alerts.every')}
        value={form.every}
        onInput={(every) => set({ every })}
        mono
      />
      <TextField
        id="alert-for"
        label={t('alerts.for')}
        value={form.forTime}
        onInput={(forTime) => set({ forTime })}
        mono
      />
      <TextField
        id="alert-repeat"
        label={t('alerts.repeat')}
        value={form.repeat}
        onInput={(repeat) => set({ repeat })}
        mono
      />
    </div>
  );
}

export function AlertDialog({ alert, isNew, project, logstores, onClose, onDone }: Props) {
  const { api } = useServices();
  const attempt = useAttempt();
  const [form, setForm] = useState(formOf(alert));
  const [tried, setTried] = useState(false);
  const set = (change: Partial<AlertForm>) => setForm((before) => ({ ...before, ...change }));
  const wrong = wrongBox(form);
  const save = async () => {
    setTried(true);
    if (wrong) return;
    if (await attempt(() => alerts.put(api, project, alertOf(form, alert)), t('app.saved')))
      onDone();
  };
  const title = isNew ? t('alerts.create') : t('alerts.edit', { name: alert.name });
  return (
    <Dialog title={title} onClose={onClose} wide>
      <Form submit={t('app.save')} onSubmit={() => void save()} onCancel={onClose}>
        {isNew && (
          <TextField
            id="alert-name"
            label={t('alerts.name')}
            value={form.name}
            onInput={(name) => set({ name })}
            autoFocus
          />
        )}
        <LogstoreChecks
          names={logstores}
          chosen={form.logstores}
          onChange={(chosen) => set({ logstores: chosen })}
        />
        <TextField
          id="alert-q"
          label={t('alerts.query')}
          value={form.q}
          onInput={(q) => set({ q })}
          hint={t('alerts.query_hint')}
          mono
        />
        <Condition form={form} set={set} />
        <Times form={form} set={set} />
        <TextField
          id="alert-group"
          label={t('alerts.group_by')}
          value={form.groupBy}
          onInput={(groupBy) => set({ groupBy })}
          hint={t('alerts.group_hint')}
          mono
        />
        <TextField
          id="alert-url"
          label={t('alerts.webhook')}
          value={form.url}
          onInput={(url) => set({ url })}
          placeholder="https://"
          mono
        />
        <label class="check">
          <input
            type="checkbox"
            checked={form.enabled}
            onChange={(event) => set({ enabled: event.currentTarget.checked })}
          />
          {t('alerts.enabled')}
        </label>
        <p class="field-error" role="alert">
          {tried && wrong && t(kWrong[wrong]!)}
        </p>
      </Form>
    </Dialog>
  );
}
