// Agents, as far as the server knows them by what they send.
import { agentsOf, type Agent } from '../../api/admin';
import { t, tn } from '../../i18n/i18n';
import { bytesText, compactCount, countText } from '../../model/number';
import { dateTimeText, kMinute, serverTime, type Zone } from '../../model/time';
import { spanText } from '../../model/time_range';
import { useServices } from '../../state/services';
import { useValue } from '../../ui/hooks';
import { Icon } from '../../ui/icon';
import { useLoaded } from '../../ui/loaded';
import { Page } from '../../ui/page';
import { StateNotice } from '../../ui/state_notice';

const kRefreshMillis = 10_000;
// An agent with something to send sends at least this often; one without may be silent for longer.
const kQuietMillis = 5 * kMinute;

function AgentRow({ agent, now, zone }: { agent: Agent; now: number; zone: Zone }) {
  const seen = serverTime(agent.last_seen);
  const ago = Math.max(0, now - seen);
  const quiet = ago > kQuietMillis;
  const stores = agent.logstores.join(', ');
  const pipelines = agent.pipelines.join(', ');
  return (
    <tr>
      <th scope="row">{agent.host || agent.id}</th>
      <td>
        <span class={`state state-${quiet ? 'pending' : 'ok'}`}>
          {t(quiet ? 'agents.quiet' : 'agents.sending')}
        </span>
      </td>
      <td title={Number.isNaN(seen) ? '' : dateTimeText(seen, zone)}>
        {Number.isNaN(seen)
          ? '–'
          : t('agents.ago', { span: spanText(Math.floor(ago / 1000) * 1000) || '0s' })}
      </td>
      <td class="cell-number" title={countText(agent.rows)}>
        {compactCount(agent.rows)}
      </td>
      <td class="cell-number">{bytesText(agent.bytes)}</td>
      <td>{agent.version ?? '–'}</td>
      <td class="mono">{agent.address}</td>
      <td title={pipelines}>{pipelines || '–'}</td>
      <td title={stores}>{stores || '–'}</td>
    </tr>
  );
}

export function AgentsPage() {
  const { api, prefs } = useServices();
  const { zone } = useValue(prefs);
  const loaded = useLoaded(() => agentsOf(api), [], kRefreshMillis);
  const agents = loaded.value ?? [];
  const now = api.now();
  const heads = [
    'host',
    'state',
    'seen',
    'rows',
    'bytes',
    'version',
    'address',
    'pipelines',
    'logstores',
  ] as const;
  return (
    <Page page="agents" lead={t('agents.lead')}>
      <StateNotice loaded={loaded} />
      {loaded.value && agents.length === 0 && (
        <div class="empty">
          <Icon name="agent" size={40} />
          <h2>{t('agents.none')}</h2>
          <p>{t('agents.none_text')}</p>
        </div>
      )}
      {agents.length > 0 && (
        <section class="box box-table">
          <h2 class="box-title">
            {t('page.agents')} <span class="hint">{tn('agents.count', agents.length)}</span>
          </h2>
          <div class="table-box">
            <table class="table" aria-label={t('page.agents')}>
              <thead>
                <tr>
                  {heads.map((head) => (
                    <th
                      key={head}
                      scope="col"
                      class={head === 'rows' || head === 'bytes' ? 'cell-number' : ''}
                    >
                      {t(`agents.${head}`)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {agents.map((agent) => (
                  <AgentRow key={agent.id} {...{ agent, now, zone }} />
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
    </Page>
  );
}
