// Downloads what a query finds. The browser takes the stream straight to a file; the page asks the server how
// far it is. Loaded when it is opened.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, storePath } from '../../../api/client';
import { newId } from '../../../base/id';
import { t, tn } from '../../../i18n/i18n';
import { bytesText, countText } from '../../../model/number';
import { splitQuery } from '../../../model/query_text';
import { unixNanosText } from '../../../model/time';
import type { Window } from '../../../model/time_range';
import type { View } from '../../../model/view';
import { useServices } from '../../../state/services';
import { Segmented } from '../../../ui/segmented';

export interface ExportPanelProps {
  view: View;
  window: Window;
}

type Format = 'jsonl' | 'csv' | 'parquet';

interface Progress {
  rows: number;
  bytes: number;
  share: number | null;
}

const kAskMillis = 700;

// How far the download `id` is; null before it has begun and after it ended.
function useProgress(id: string): { progress: Progress | null; ended: boolean } {
  const { api } = useServices();
  const [progress, setProgress] = useState<Progress | null>(null);
  const [ended, setEnded] = useState(false);
  useEffect(() => {
    setProgress(null);
    setEnded(false);
    if (!id) return undefined;
    let seen = false;
    const timer = setInterval(() => {
      api.call<Progress>('GET', `queries/${id}`, {}).then(
        (answer) => {
          seen = true;
          setProgress(answer);
        },
        (error: unknown) => {
          if (!(error instanceof ApiError)) throw error;
          // Not known: it has not begun, or is over.
          if (!seen && error.status === 404) return;
          setEnded(true);
          clearInterval(timer);
        },
      );
    }, kAskMillis);
    return () => clearInterval(timer);
  }, [id]);
  return { progress, ended };
}

function start(address: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = '';
  document.body.append(link);
  link.click();
  link.remove();
}

export function ExportPanel({ view, window: range }: ExportPanelProps) {
  const { api } = useServices();
  const [format, setFormat] = useState<Format>('jsonl');
  const [onlyColumns, setOnlyColumns] = useState(false);
  const [id, setId] = useState('');
  const { progress, ended } = useProgress(id);
  const isStatement = splitQuery(view.query).statement !== null;
  const run = () => {
    const next = newId();
    const fields: Record<string, string> = onlyColumns
      ? { fields: ['time', ...view.columns].join(',') }
      : {};
    const params = {
      q: view.query,
      from: unixNanosText(range.from),
      to: unixNanosText(range.to),
      format,
      id: next,
      ...fields,
    };
    start(api.address(`${storePath(view)}/export`, params));
    setId(next);
  };
  return (
    <div class="export">
      <h2>{t('export.title')}</h2>
      <Segmented<Format>
        label={t('export.format')}
        value={format}
        options={[
          ['jsonl', 'JSON lines'],
          ['csv', 'CSV'],
          ['parquet', 'Parquet'],
        ]}
        onChange={setFormat}
      />
      {view.columns.length > 0 && !isStatement && (
        <label class="check">
          <input
            type="checkbox"
            checked={onlyColumns}
            onChange={(event) => setOnlyColumns(event.currentTarget.checked)}
          />
          {t('export.columns', { names: view.columns.join(', ') })}
        </label>
      )}
      <p class="hint">{t(isStatement ? 'export.statement' : 'export.rows')}</p>
      <button type="button" class="button button-primary button-wide" id="export-run" onClick={run}>
        {t('export.run')}
      </button>
      {progress && !ended && (
        <div class="export-progress" role="status">
          <progress value={progress.share ?? undefined} max={1} aria-label={t('export.running')} />
          <span class="hint">
            {tn('stats.found', progress.rows, countText(progress.rows))} ·{' '}
            {bytesText(progress.bytes)}
          </span>
          <button type="button" class="button button-small" onClick={() => void api.cancel(id)}>
            {t('query.stop')}
          </button>
        </div>
      )}
      {ended && <p class="hint">{t('export.ended')}</p>}
    </div>
  );
}
