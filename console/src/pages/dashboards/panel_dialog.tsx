// Makes or changes a panel; a saved search brings its query.
import { useEffect, useState } from 'preact/hooks';
import { ApiError } from '../../api/client';
import { savedSearches, type Panel, type SavedSearch } from '../../api/library';
import { t } from '../../i18n/i18n';
import { useServices } from '../../state/services';
import { ChartKinds } from '../../ui/chart/chart_kinds';
import { Dialog } from '../../ui/dialog';
import { ChoiceField, Form, TextField } from '../../ui/form';
import { LogstoreChecks } from '../../ui/logstore_checks';

interface Props {
  panel: Panel;
  project: string;
  logstores: string[];
  onClose: () => void;
  onDone: (panel: Panel) => void;
}

const kWidths = ['3', '4', '6', '8', '12'] as const;

function useSaved(project: string): SavedSearch[] {
  const { api } = useServices();
  const [list, setList] = useState<SavedSearch[]>([]);
  useEffect(() => {
    savedSearches.all(api, project).then(setList, (error: unknown) => {
      // Without saved searches a query can still be written.
      if (!(error instanceof ApiError)) throw error;
    });
  }, [project]);
  return list;
}

export function PanelDialog({ panel, project, logstores, onClose, onDone }: Props) {
  const saved = useSaved(project);
  const [draft, setDraft] = useState(panel);
  const set = (change: Partial<Panel>) => setDraft((before) => ({ ...before, ...change }));
  const take = (name: string) => {
    const found = saved.find((each) => each.name === name);
    if (!found) return;
    const chart = (found.view as { chart?: Panel['chart'] | null } | undefined)?.chart;
    set({ title: found.name, q: found.q, logstores: found.logstores, ...(chart ? { chart } : {}) });
  };
  return (
    <Dialog title={t('dashboards.panel')} onClose={onClose} wide>
      <Form
        submit={t('app.apply')}
        disabled={draft.logstores.length === 0}
        onSubmit={() => onDone(draft)}
        onCancel={onClose}
      >
        {saved.length > 0 && (
          <ChoiceField<string>
            id="panel-saved"
            label={t('dashboards.from_saved')}
            value=""
            options={[
              ['', t('dashboards.choose')],
              ...saved.map(({ name }) => [name, name] as const),
            ]}
            onChange={take}
          />
        )}
        <TextField
          id="panel-title"
          label={t('dashboards.panel_title')}
          value={draft.title}
          onInput={(title) => set({ title })}
          autoFocus
        />
        <TextField
          id="panel-q"
          label={t('query.label')}
          value={draft.q}
          onInput={(q) => set({ q })}
          mono
        />
        <LogstoreChecks
          names={logstores}
          chosen={draft.logstores}
          onChange={(chosen) => set({ logstores: chosen })}
        />
        <ChartKinds value={draft.chart} onChange={(chart) => set({ chart })} />
        <ChoiceField<string>
          id="panel-width"
          label={t('dashboards.width')}
          value={String(draft.width)}
          options={kWidths.map((width) => [width, `${width} / 12`] as const)}
          onChange={(width) => set({ width: Number(width) })}
        />
      </Form>
    </Dialog>
  );
}
