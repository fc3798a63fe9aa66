// The server's HTTP API as calls. The session cookie does the rest; no token is kept in the page.
//
// Place:   one per page load, made in main.tsx.
// Errors:  every call throws ApiError. `onSignedOut` hears about each 401 outside sign-in.
import { parseExact, plainNumbers } from './json';
import { EventParser } from './sse';
import type {
  HistogramAnswer,
  Json,
  Logstore,
  Project,
  Row,
  SearchAnswer,
  Session,
  SqlAnswer,
  Stats,
} from './types';

export class ApiError extends Error {
  // `status` 0: the server was not reached. `position`: character of the query that is wrong.
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly position: number | null = null,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
  }
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

export interface StoreName {
  project: string;
  // One name, or several with commas between them.
  logstore: string;
}

export interface SearchCall extends StoreName {
  query: string;
  from: string;
  to: string;
  id: string;
  // Asked for by a person: the server keeps it in their history.
  history?: boolean;
}

export interface Options {
  params?: Record<string, string>;
  body?: unknown;
  signal?: AbortSignal;
}

// What a tail tells: `onOpen` once, then rows and losses until it ends or throws.
export interface TailEvents {
  onOpen(): void;
  onRow(row: Row): void;
  onDropped(rows: number): void;
}

export function storePath(store: StoreName): string {
  const names = store.logstore.split(',').map(encodeURIComponent).join(',');
  return `projects/${encodeURIComponent(store.project)}/logstores/${names}`;
}

function queryParams({ query, from, to, id, history }: SearchCall): Record<string, string> {
  return { q: query, from, to, id, ...(history ? { history: '1' } : {}) };
}

async function errorOf(response: Response): Promise<ApiError> {
  const retry = Number(response.headers.get('Retry-After') ?? NaN);
  const retryAfter = Number.isFinite(retry) ? retry : null;
  try {
    const body = (await response.json()) as {
      error?: { code?: string; message?: string; position?: number };
    };
    const { code = 'unknown', message = response.statusText, position = null } = body.error ?? {};
    return new ApiError(response.status, code, message, position, retryAfter);
  } catch {
    return new ApiError(response.status, 'unknown', response.statusText, null, retryAfter);
  }
}

// A body that breaks off or makes no sense is a server that was not reached.
async function readBody<T>(response: Response, parse: (text: string) => T): Promise<T> {
  try {
    return parse(await response.text());
  } catch (error) {
    throw isAbort(error) ? error : new ApiError(0, 'unreachable', String(error));
  }
}

export class ApiClient {
  onSignedOut: () => void = () => {};
  // How far the server's clock is ahead of ours; what the server calls now is what counts.
  private clockAheadMs = 0;

  // `base` ends in a slash; calls go below it, so that a proxy may serve the console under a path.
  constructor(private readonly base: string) {}

  now(): number {
    return Date.now() + this.clockAheadMs;
  }

  signIn(secret: { code: string } | { token: string }): Promise<{ role: string }> {
    return this.call('POST', 'sign-in', { body: secret });
  }

  signOut(): Promise<void> {
    return this.call('POST', 'sign-out', {});
  }

  session(): Promise<Session> {
    return this.call('GET', 'session', {});
  }

  async projects(): Promise<Project[]> {
    return (await this.call<{ projects: Project[] }>('GET', 'projects', {})).projects;
  }

  async logstores(project: string): Promise<Logstore[]> {
    const path = `projects/${encodeURIComponent(project)}/logstores`;
    return (await this.call<{ logstores: Logstore[] }>('GET', path, {})).logstores;
  }

  async search(
    call: SearchCall & { limit: number; cursor: string | null },
    signal: AbortSignal,
  ): Promise<SearchAnswer> {
    const params: Record<string, string> = { ...queryParams(call), limit: String(call.limit) };
    if (call.cursor) params.cursor = call.cursor;
    const response = await this.send('GET', `${storePath(call)}/search`, { params, signal });
    const answer = await readBody(
      response,
      parseExact as unknown as (text: string) => SearchAnswer,
    );
    const stats = plainNumbers(answer.stats as unknown as Json) as unknown as Stats;
    return { ...answer, stats };
  }

  histogram(call: SearchCall & { buckets: number }, signal: AbortSignal): Promise<HistogramAnswer> {
    const params = { ...queryParams(call), buckets: String(call.buckets) };
    return this.call('GET', `${storePath(call)}/histogram`, { params, signal });
  }

  sql(call: SearchCall & { limit: number }, signal: AbortSignal): Promise<SqlAnswer> {
    const params = { ...queryParams(call), limit: String(call.limit) };
    return this.call('GET', `${storePath(call)}/sql`, { params, signal });
  }

  // Tells the server to stop a query that nobody waits for. It may have ended already.
  async cancel(id: string): Promise<void> {
    try {
      await this.call('DELETE', `queries/${encodeURIComponent(id)}`, {});
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  // Follows a logstore until the server ends the stream, or throws.
  async tail(
    store: StoreName,
    query: string,
    events: TailEvents,
    signal: AbortSignal,
  ): Promise<void> {
    const params = { q: query };
    const response = await this.send('GET', `${storePath(store)}/tail`, { params, signal });
    events.onOpen();
    const reader = response.body!.getReader();
    const decoder = new TextDecoder();
    const parser = new EventParser();
    for (;;) {
      const { done, value } = await this.read(reader);
      if (done) return;
      for (const { event, data } of parser.push(decoder.decode(value, { stream: true }))) {
        if (event === 'row') events.onRow(parseExact(data) as unknown as Row);
        if (event === 'dropped') events.onDropped((JSON.parse(data) as { rows: number }).rows);
      }
    }
  }

  private async read(
    reader: ReadableStreamDefaultReader<Uint8Array>,
  ): Promise<{ done: boolean; value?: Uint8Array }> {
    try {
      return await reader.read();
    } catch (error) {
      throw isAbort(error) ? error : new ApiError(0, 'unreachable', String(error));
    }
  }

  // Any other call below /api/v1/; the answer is what its body says.
  async call<T>(method: string, path: string, options: Options): Promise<T> {
    const response = await this.send(method, path, options);
    if (response.status === 204) return undefined as T;
    return readBody(response, JSON.parse as (text: string) => T);
  }

  // The same for answers with rows, whose numbers stay as they were written.
  async exact<T>(method: string, path: string, options: Options): Promise<T> {
    const response = await this.send(method, path, options);
    return readBody(response, parseExact as unknown as (text: string) => T);
  }

  // Where a download of this call would come from.
  address(path: string, params: Record<string, string>): string {
    return `${this.base}api/v1/${path}?${new URLSearchParams(params)}`;
  }

  private async send(method: string, path: string, options: Options): Promise<Response> {
    const query = options.params ? `?${new URLSearchParams(options.params)}` : '';
    const init: RequestInit = { method, credentials: 'same-origin', cache: 'no-store' };
    if (options.signal) init.signal = options.signal;
    if (options.body !== undefined) {
      init.body = JSON.stringify(options.body);
      init.headers = { 'Content-Type': 'application/json' };
    }
    let response: Response;
    try {
      response = await fetch(`${this.base}api/v1/${path}${query}`, init);
    } catch (error) {
      throw isAbort(error) ? error : new ApiError(0, 'unreachable', String(error));
    }
    this.readClock(response);
    if (response.ok) return response;
    const error = await errorOf(response);
    if (error.status === 401 && path !== 'sign-in') this.onSignedOut();
    throw error;
  }

  private readClock(response: Response): void {
    const served = Date.parse(response.headers.get('Date') ?? '');
    if (Number.isNaN(served)) return;
    // The header has whole seconds and travelled a while: less than two seconds is not a difference.
    const ahead = served + 500 - Date.now();
    this.clockAheadMs = Math.abs(ahead) < 2000 ? 0 : ahead;
  }
}
