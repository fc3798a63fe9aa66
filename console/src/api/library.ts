// Calls about what people keep: saved searches, dashboards, their own history.
import type { ApiClient } from './client';
import type { Json } from './types';

export interface SavedSearch {
  name: string;
  logstores: string[];
  q: string;
  from: string;
  to: string;
  // What the console wants back: chart, columns, tab.
  view?: Json;
  updated?: number | string;
  // False: somebody else's, and the reader is no administrator.
  editable?: boolean;
}

export type PanelChart = 'table' | 'line' | 'bar' | 'pie' | 'value';

export interface Panel {
  title: string;
  logstores: string[];
  q: string;
  chart: PanelChart;
  width: number; // of twelve
  from?: string;
  to?: string;
}

export interface Dashboard {
  name: string;
  title: string;
  panels: Panel[];
  from: string;
  to: string;
  updated?: number | string;
  // False: somebody else's, and the reader is no administrator.
  editable?: boolean;
}

export interface PastQuery {
  q: string;
  logstores: string[];
  from: string;
  to: string;
  at: number | string;
  wall_ms: number;
  rows: number;
}

// A list of named things of a project.
class Shelf<T extends { name: string }> {
  constructor(
    private readonly kind: string,
    private readonly listed: string,
  ) {}

  private path(project: string, name?: string): string {
    const base = `projects/${encodeURIComponent(project)}/${this.kind}`;
    return name === undefined ? base : `${base}/${encodeURIComponent(name)}`;
  }

  async all(api: ApiClient, project: string): Promise<T[]> {
    const answer = await api.call<Record<string, T[]>>('GET', this.path(project), {});
    return answer[this.listed] ?? [];
  }

  get(api: ApiClient, project: string, name: string): Promise<T> {
    return api.call('GET', this.path(project, name), {});
  }

  put(api: ApiClient, project: string, value: T): Promise<void> {
    // What the server tells about it is not for it to be told.
    const body = { ...value, updated: undefined, editable: undefined };
    return api.call('PUT', this.path(project, value.name), { body });
  }

  remove(api: ApiClient, project: string, name: string): Promise<void> {
    return api.call('DELETE', this.path(project, name), {});
  }
}

export const savedSearches = new Shelf<SavedSearch>('saved-searches', 'saved_searches');
export const dashboards = new Shelf<Dashboard>('dashboards', 'dashboards');

const kHistoryAsked = 100;

export async function historyOf(api: ApiClient, project: string): Promise<PastQuery[]> {
  const path = `projects/${encodeURIComponent(project)}/history`;
  const params = { limit: String(kHistoryAsked) };
  return (await api.call<{ queries: PastQuery[] }>('GET', path, { params })).queries;
}

export function emptyHistory(api: ApiClient, project: string): Promise<void> {
  return api.call('DELETE', `projects/${encodeURIComponent(project)}/history`, {});
}
