// The projects and logstores this person may see.
//
// Place:   one per page load; the logstore picker and the empty states read it.
// Errors:  `problem` says why the last load failed; what was known before stays.
import type { ApiClient, ApiError } from '../api/client';
import type { Logstore } from '../api/types';
import { Value } from '../base/value';

export interface CatalogProject {
  name: string;
  logstores: Logstore[];
}

export interface CatalogState {
  loaded: boolean;
  projects: CatalogProject[];
  problem: ApiError | null;
}

export class Catalog {
  readonly state = new Value<CatalogState>({ loaded: false, projects: [], problem: null });
  private loading: Promise<void> | null = null;

  constructor(private readonly api: ApiClient) {}

  // Loads everything again; calls that overlap share one load.
  load(): Promise<void> {
    this.loading ??= this.fetchAll().finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  private async fetchAll(): Promise<void> {
    try {
      const found = await this.api.projects();
      const projects = await Promise.all(
        found.map(async ({ name }) => ({ name, logstores: await this.api.logstores(name) })),
      );
      this.state.set({ loaded: true, projects, problem: null });
    } catch (error) {
      this.state.patch({ problem: error as ApiError });
    }
  }
}

export function findLogstore(
  state: CatalogState,
  project: string,
  logstore: string,
): Logstore | undefined {
  const found = state.projects.find((each) => each.name === project);
  return found?.logstores.find((each) => each.name === logstore);
}

// Where to begin: the remembered logstore when it is still there, else the one with most rows.
export function firstChoice(
  state: CatalogState,
  remembered: { project: string; logstore: string },
): { project: string; logstore: string } | null {
  if (findLogstore(state, remembered.project, remembered.logstore)) return remembered;
  let best: { project: string; logstore: string; rows: number } | null = null;
  for (const project of state.projects) {
    for (const { name, rows } of project.logstores) {
      if (!best || rows > best.rows) best = { project: project.name, logstore: name, rows };
    }
  }
  return best && { project: best.project, logstore: best.logstore };
}
