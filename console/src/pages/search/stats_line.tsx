// One line about the search: how many rows, how much was read, how long it took.
import { t, tn } from '../../i18n/i18n';
import { bytesText, compactCount, countText, millisText } from '../../model/number';
import { spanText } from '../../model/time_range';
import { lazy } from '../../ui/lazy';
import { Popover } from '../../ui/popover';
import type { ExplainPanelProps } from './explain/explain_panel';
import type { SearchState } from './search_session';

const ExplainPanel = lazy<ExplainPanelProps>(async () => (await import('./parts')).ExplainPanel);

function countOf(state: SearchState): string {
  const { searching, cancelled, rows, table, histogram, stale, counting, problem } = state;
  if (problem) return '';
  if (searching || stale) return t('stats.running');
  if (cancelled && rows.count === 0) return t('stats.cancelled');
  if (table && histogram) return tn('stats.found', histogram.total, countText(histogram.total));
  if (!histogram || counting) return tn('stats.found', rows.count, countText(rows.count));
  if (histogram.total <= rows.count) {
    return tn('stats.found', rows.count, countText(rows.count));
  }
  return t('stats.shown', { shown: countText(rows.count), total: countText(histogram.total) });
}

// How many blocks could be skipped; opened, why.
function Blocks({ state }: { state: SearchState }) {
  const { stats, view, window: range } = state;
  if (!stats || !view || !range) return null;
  const text = t('stats.blocks', {
    skipped: countText(stats.blocks_skipped),
    blocks: countText(stats.blocks),
  });
  return (
    <Popover
      label={`${text}. ${t('explain.title')}`}
      face={text}
      buttonClass="stats-blocks"
      panelClass="panel-explain"
      id="explain-button"
    >
      {() => (
        <ExplainPanel
          store={{ project: view.project, logstore: view.logstore }}
          query={view.query}
          window={range}
        />
      )}
    </Popover>
  );
}

export function StatsLine({ state }: { state: SearchState }) {
  const { stats, histogram, live } = state;
  const detail = stats
    ? t('stats.detail', {
        rows: countText(stats.rows_scanned),
        bytes: bytesText(stats.bytes_scanned),
        wall: millisText(stats.wall_ms),
        cpu: millisText(stats.cpu_ms),
      })
    : '';
  return (
    <div class="stats" aria-label={t('stats.label')} title={detail}>
      <strong role="status">
        {live ? tn('stats.found', state.rows.count, countText(state.rows.count)) : countOf(state)}
      </strong>
      {stats && !state.stale && !live && (
        <>
          <Blocks state={state} />
          <span class="stats-scanned">
            {t('stats.scanned', {
              rows: compactCount(stats.rows_scanned),
              bytes: bytesText(stats.bytes_scanned),
            })}
          </span>
          <span>{millisText(stats.wall_ms)}</span>
        </>
      )}
      {histogram && histogram.counts.length > 1 && (
        <span class="stats-step">{t('histogram.step', { span: spanText(histogram.step) })}</span>
      )}
    </div>
  );
}
