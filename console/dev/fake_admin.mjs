// What people keep and who may come in, for the development server: saved searches, dashboards, history, tokens,
// agents, alerts. Kept in memory.
import { randomBytes } from 'node:crypto';

const nanos = (ms = Date.now()) => ms * 1e6;

const kAlertErrors = {
  name: 'checkout-errors',
  enabled: true,
  logstores: ['cluster'],
  q: 'level:error | stats count() as n by pod',
  every: '1m',
  window: '5m',
  condition: { column: 'n', op: '>', value: 10 },
  for: '2m',
  group_by: ['pod'],
  webhook: null,
  repeat: '4h',
  state: 'firing',
  groups: [
    {
      labels: { pod: 'checkout-6c9f7d5b8-x2lqp' },
      state: 'firing',
      since: nanos(Date.now() - 7e5),
      value: 41,
    },
    { labels: { pod: 'cart-0' }, state: 'pending', since: nanos(Date.now() - 6e4), value: 12 },
  ],
  last_run: nanos(Date.now() - 2e4),
  error: null,
};
const kAlertQuiet = {
  name: 'nothing arrives',
  enabled: true,
  logstores: ['cluster'],
  q: '*',
  every: '5m',
  window: '15m',
  condition: { op: '==', value: 0 },
  for: '0s',
  group_by: [],
  webhook: { url: 'https://example.com/hook' },
  repeat: '1h',
  state: 'ok',
  groups: [],
  last_run: nanos(Date.now() - 1e5),
  error: null,
};

export class Admin {
  constructor() {
    this.kept = { 'saved-searches': new Map(), dashboards: new Map(), alerts: new Map() };
    this.history = [];
    this.tokens = [
      {
        id: 't1',
        name: 'first sign-in',
        role: 'admin',
        project: null,
        created: nanos(Date.now() - 864e5),
        last_used: nanos(Date.now() - 6e4),
      },
      {
        id: 't2',
        name: 'agents of cluster a',
        role: 'ingest',
        project: 'default',
        created: nanos(Date.now() - 864e5),
        last_used: null,
      },
    ];
    this.put('alerts', 'default', kAlertErrors.name, kAlertErrors);
    this.put('alerts', 'default', kAlertQuiet.name, kAlertQuiet);
  }

  put(kind, project, name, value) {
    this.kept[kind].set(`${project}/${name}`, { ...value, name, updated: nanos() });
  }

  note(entry) {
    if (this.history[0]?.q === entry.q) this.history.shift();
    this.history.unshift({ ...entry, at: nanos() });
  }

  agents() {
    const one = (host, ago) => ({
      id: `agent-${host}`,
      host,
      version: '0.1.0',
      address: '10.42.0.7:51234',
      last_seen: nanos(Date.now() - ago),
      rows: 1234567,
      bytes: 456789012,
      pipelines: ['containers', 'journal'],
      logstores: ['cluster'],
    });
    return [one('node-a', 900), one('node-b', 2400), one('node-c', 900000)];
  }

  // The answer to a call, or undefined when it is none of these; `body` is what was sent.
  answer(method, path, body, fail) {
    if (path === 'agents' && method === 'GET') return { agents: this.agents() };
    if (path === 'tokens') {
      if (method === 'GET') return { tokens: this.tokens };
      const made = {
        id: randomBytes(4).toString('hex'),
        project: null,
        ...body,
        created: nanos(),
        last_used: null,
      };
      this.tokens.push(made);
      return { ...made, token: `kelp_${randomBytes(16).toString('hex')}` };
    }
    const token = /^tokens\/(\w+)$/.exec(path);
    if (token && method === 'DELETE') {
      this.tokens = this.tokens.filter(({ id }) => id !== token[1]);
      return null;
    }
    const history = /^projects\/([\w-]+)\/history$/.exec(path);
    if (history) {
      if (method === 'DELETE') this.history = [];
      return method === 'DELETE' ? null : { queries: this.history };
    }
    return this.answerShelf(method, path, body, fail);
  }

  answerShelf(method, path, body, fail) {
    const match =
      /^projects\/([\w-]+)\/(saved-searches|dashboards|alerts)(?:\/([^/]+))?(\/silence)?$/.exec(
        path,
      );
    if (!match) return undefined;
    const [, project, kind, coded, silence] = match;
    const shelf = this.kept[kind];
    if (!coded) {
      const list = [...shelf]
        .filter(([key]) => key.startsWith(`${project}/`))
        .map(([, value]) => value);
      return { [kind.replace('-', '_')]: list };
    }
    const name = decodeURIComponent(coded);
    const key = `${project}/${name}`;
    if (method === 'PUT') {
      const fresh =
        kind === 'alerts' ? { state: 'ok', groups: [], last_run: null, error: null } : {};
      this.put(kind, project, name, { ...fresh, ...body });
      return null;
    }
    if (!shelf.has(key)) return fail(404, 'not_found', `There is no ${name}.`);
    if (silence) shelf.get(key).silenced_until = body.until;
    if (method === 'DELETE') shelf.delete(key);
    return method === 'GET' ? shelf.get(key) : null;
  }
}
