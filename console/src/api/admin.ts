// Calls of those who run the server: logstores, tokens, agents, alerts.
import type { ApiClient } from './client';

export interface Token {
  id: string;
  name: string;
  role: string;
  project: string | null;
  created: number | string;
  last_used: number | string | null;
}

export interface Agent {
  id: string;
  host: string;
  version: string | null;
  address: string;
  last_seen: number | string;
  rows: number;
  bytes: number;
  pipelines: string[];
  logstores: string[];
}

export type Operator = '>' | '>=' | '<' | '<=' | '==' | '!=';

export interface Alert {
  name: string;
  enabled: boolean;
  logstores: string[];
  q: string;
  every: string;
  window: string;
  condition: { column?: string; op: Operator; value: number };
  for: string;
  group_by: string[];
  webhook: null | { url: string; headers?: Record<string, string>; body?: string };
  repeat: string;
}

export interface AlertState extends Alert {
  state: 'ok' | 'pending' | 'firing' | 'error';
  groups: Array<{
    labels: Record<string, string>;
    state: string;
    since: number | string;
    value: number | null;
  }>;
  last_run: number | string | null;
  error: string | null;
  silenced_until?: number | string | null;
}

const name = encodeURIComponent;

export interface LogstoreSettings {
  retention: string | null;
  retention_size: string | null;
}

export const logstores = {
  createProject: (api: ApiClient, project: string) =>
    api.call('POST', 'projects', { body: { name: project } }),
  create: (api: ApiClient, project: string, logstore: string, settings: LogstoreSettings) => {
    // A missing key is the server's default; null would mean none.
    const given = Object.entries(settings).filter(([, value]) => value !== null);
    const body = { name: logstore, ...Object.fromEntries(given) };
    return api.call('POST', `projects/${name(project)}/logstores`, { body });
  },
  change: (api: ApiClient, project: string, logstore: string, settings: LogstoreSettings) =>
    api.call('PATCH', `projects/${name(project)}/logstores/${name(logstore)}`, { body: settings }),
  remove: (api: ApiClient, project: string, logstore: string) =>
    api.call('DELETE', `projects/${name(project)}/logstores/${name(logstore)}`, {}),
};

export const tokens = {
  all: async (api: ApiClient) => (await api.call<{ tokens: Token[] }>('GET', 'tokens', {})).tokens,
  create: (api: ApiClient, token: { name: string; role: string; project?: string }) =>
    api.call<Token & { token: string }>('POST', 'tokens', { body: token }),
  remove: (api: ApiClient, id: string) => api.call('DELETE', `tokens/${name(id)}`, {}),
};

export async function agentsOf(api: ApiClient): Promise<Agent[]> {
  return (await api.call<{ agents: Agent[] }>('GET', 'agents', {})).agents;
}

export const alerts = {
  all: async (api: ApiClient, project: string) =>
    (await api.call<{ alerts: AlertState[] }>('GET', `projects/${name(project)}/alerts`, {}))
      .alerts,
  put: (api: ApiClient, project: string, alert: Alert) =>
    api.call('PUT', `projects/${name(project)}/alerts/${name(alert.name)}`, { body: alert }),
  remove: (api: ApiClient, project: string, alert: string) =>
    api.call('DELETE', `projects/${name(project)}/alerts/${name(alert)}`, {}),
  // `until`: null ends the silence.
  silence: (api: ApiClient, project: string, alert: string, until: string | null) =>
    api.call('POST', `projects/${name(project)}/alerts/${name(alert)}/silence`, {
      body: { until },
    }),
};
