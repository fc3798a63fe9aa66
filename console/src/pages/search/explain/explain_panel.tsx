// What became of each block of the store in this search, and why. Loaded when it is opened.
import { storePath, type StoreName } from '../../../api/client';
import { t, tn } from '../../../i18n/i18n';
import { compactCount, countText, millisText } from '../../../model/number';
import { splitQuery } from '../../../model/query_text';
import { unixNanosText } from '../../../model/time';
import type { Window } from '../../../model/time_range';
import { useServices } from '../../../state/services';
import { useLoaded } from '../../../ui/loaded';
import { StateNotice } from '../../../ui/state_notice';

export interface ExplainPanelProps {
  store: StoreName;
  query: string;
  window: Window;
}

// In the order in which the server asks them.
const kFates = ['time', 'words', 'values', 'no_field', 'whole', 'scanned', 'not_reached'] as const;
type Fate = (typeof kFates)[number];

interface Explain {
  plan: string;
  blocks: number;
  fates: Partial<Record<Fate, { blocks: number; rows: number }>>;
  cpu_ms: Record<string, number>;
  threads: number;
  terms: Array<{ term: string; ruled_out: number; settled: number }>;
}

function Fates({ explain }: { explain: Explain }) {
  return (
    <dl class="fates">
      {kFates.map((fate) => {
        const { blocks = 0, rows = 0 } = explain.fates[fate] ?? {};
        if (blocks === 0) return null;
        return (
          <div key={fate}>
            <dt>{t(`explain.${fate}`)}</dt>
            <dd title={tn('stats.found', rows, countText(rows))}>{countText(blocks)}</dd>
            <dd class="share-bar" aria-hidden="true">
              <span
                style={{ width: `${((100 * blocks) / Math.max(1, explain.blocks)).toFixed(1)}%` }}
              />
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function Terms({ explain }: { explain: Explain }) {
  if (explain.terms.length === 0) return null;
  return (
    <>
      <h2>{t('explain.terms')}</h2>
      <ul class="explain-terms">
        {explain.terms.map(({ term, ruled_out: ruledOut, settled }) => (
          <li key={term}>
            <code>{term}</code>
            <span class="hint">
              {t('explain.term', { ruled: compactCount(ruledOut), settled: compactCount(settled) })}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}

export function ExplainPanel({ store, query, window: range }: ExplainPanelProps) {
  const { api } = useServices();
  const loaded = useLoaded(() => {
    const params = {
      q: splitQuery(query).search,
      from: unixNanosText(range.from),
      to: unixNanosText(range.to),
      of: 'search',
    };
    return api.call<Explain>('GET', `${storePath(store)}/explain`, { params });
  });
  const explain = loaded.value;
  return (
    <div class="explain" id="explain">
      <StateNotice loaded={loaded} />
      {explain && (
        <>
          <code class="explain-plan">{explain.plan}</code>
          <h2>{t('explain.blocks', { n: countText(explain.blocks) })}</h2>
          <Fates explain={explain} />
          <Terms explain={explain} />
          <p class="hint">
            {Object.entries(explain.cpu_ms)
              .filter(([, ms]) => ms >= 0.05)
              .map(([stage, ms]) => `${stage} ${millisText(ms)}`)
              .join(' · ')}
          </p>
        </>
      )}
    </div>
  );
}
