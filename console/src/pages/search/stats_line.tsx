// One line about the search: how many rows, how much was read, how long it took.
import { t, tn } from '../../i18n/i18n';
import { bytesText, compactCount, countText, millisText } from '../../model/number';
import { spanText } from '../../model/time_range';
import type { SearchState } from './search_session';

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
    <p class="stats" aria-label={t('stats.label')} role="status" title={detail}>
      <strong>
        {live ? tn('stats.found', state.rows.count, countText(state.rows.count)) : countOf(state)}
      </strong>
      {stats && !state.stale && !live && (
        <>
          <span>
            {t('stats.blocks', {
              skipped: countText(stats.blocks_skipped),
              blocks: countText(stats.blocks),
            })}
          </span>
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
    </p>
  );
}
