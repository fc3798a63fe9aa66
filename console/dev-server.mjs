// Serves dist/ and fakes the server's API with generated rows, to develop and test the console without
// a kelp-server.
//
//   node dev-server.mjs [--port 7780] [--code CODE] [--token TOKEN] [--rows N] [--rate ROWS_PER_S]
//   node dev-server.mjs --server http://127.0.0.1:7700    dist/ in front of a real server
//
// Words that make a query behave badly: `slow` takes five seconds, `partial` gives a partial answer,
// `overload` is refused with 503, `toolong` with 504.
import { createServer, request as forward } from 'node:http';
import { readFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { Admin } from './dev/fake_admin.mjs';
import { compile, QueryError } from './dev/fake_query.mjs';
import { makeHistory, makeRow, randomFrom } from './dev/fake_rows.mjs';
import { runStatement, StatementError } from './dev/fake_sql.mjs';
import * as statistics from './dev/fake_statistics.mjs';

const root = path.dirname(fileURLToPath(import.meta.url));
const kTypes = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
  map: 'application/json',
};
const kDay = 24 * 3600 * 1000;

function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  return at > 0 ? process.argv[at + 1] : fallback;
}

const realServer = option('server', '');
const port = Number(option('port', '7780'));
const codes = new Set([option('code', randomBytes(6).toString('hex'))]);
const token = option('token', 'kelp-dev');
const rate = Number(option('rate', '4'));
const random = randomFrom(20261121);
// Logstores by "project/logstore"; rows in the order of their time.
const stores = new Map([
  ['default/cluster', makeHistory(random, Date.now(), 3 * kDay, Number(option('rows', '60000')))],
  ['default/payments', makeHistory(random, Date.now(), kDay, 3000)],
  ['default/empty', []],
]);
const projects = new Set(['default']);
const settings = new Map(); // of logstores that were changed
const sessions = new Set();
const admin = new Admin();
const running = new Map(); // query id -> function that cancels it
const tails = new Set();

class Refusal extends Error {
  constructor(status, code, message, extra = {}) {
    super(message);
    Object.assign(this, { status, code, extra });
  }
}

function send(response, status, body, headers = {}) {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
  // Times with three digits, as the server prints them: 0.820 is not how JavaScript would.
  const text = body === undefined ? '' : JSON.stringify(body);
  response.end(
    text.replace(/("(?:cpu|wall)_ms":)([\d.]+)/g, (_, key, ms) => key + Number(ms).toFixed(3)),
  );
}

function sessionOf(request) {
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '');
  if (bearer) return bearer[1] === token;
  const cookie = /kelp_session=(\w+)/.exec(request.headers.cookie ?? '');
  return cookie !== null && sessions.has(cookie[1]);
}

function timeOf(text, fallback) {
  if (!text) return fallback;
  if (/^\d+$/.test(text)) return Number(text) / 1e6;
  const ago = /^-(\d+)([smhd])$/.exec(text);
  if (ago) return Date.now() - Number(ago[1]) * { s: 1e3, m: 6e4, h: 36e5, d: kDay }[ago[2]];
  return Date.parse(text);
}

function compileOrRefuse(query) {
  try {
    return compile(query);
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    throw new Refusal(400, 'invalid_argument', error.message, { position: error.position });
  }
}

// Waits as a slow search would; false when it was cancelled meanwhile.
function work(id, ms) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(true), ms);
    running.set(id, () => {
      clearTimeout(timer);
      resolve(false);
    });
  });
}

async function select(rows, params, query = params.get('q') ?? '') {
  if (/\boverload\b/.test(query)) {
    throw new Refusal(503, 'overloaded', 'Too many searches are running.', { retryAfter: 2 });
  }
  if (/\btoolong\b/.test(query)) {
    throw new Refusal(504, 'deadline_exceeded', 'The search reached its limit of 30 s.');
  }
  const test = compileOrRefuse(query.replace(/\b(slow|partial)\b/g, '').trim());
  const from = timeOf(params.get('from'), Date.now() - 3600 * 1000);
  const to = timeOf(params.get('to'), Date.now());
  const id = params.get('id') ?? randomBytes(4).toString('hex');
  const finished = await work(id, /\bslow\b/.test(query) ? 5000 : 15);
  running.delete(id);
  if (!finished) throw new Refusal(499, 'cancelled', 'The query was cancelled.');
  const started = performance.now();
  const found = [];
  let scanned = 0;
  for (let at = rows.length - 1; at >= 0; --at) {
    const ms = Date.parse(rows[at].time);
    if (ms >= to) continue;
    if (ms < from) break;
    ++scanned;
    if (test(rows[at])) found.push(at);
  }
  const wall = performance.now() - started;
  const blocks = Math.ceil(rows.length / 600);
  const stats = {
    blocks,
    blocks_skipped: blocks - Math.ceil(scanned / 600),
    rows_scanned: scanned,
    bytes_scanned: scanned * 260,
    cpu_ms: wall,
    wall_ms: wall,
  };
  const partial = /\bpartial\b/.test(query)
    ? '1 of 12 segments could not be read (checksum).'
    : null;
  return { found, from, to, stats, partial };
}

async function search(rows, params, response) {
  const { found, stats, partial } = await select(rows, params);
  const limit = Math.min(1000, Number(params.get('limit') ?? 100));
  const start = params.get('cursor')
    ? found.findIndex((at) => at < Number(params.get('cursor')))
    : 0;
  const page = start < 0 ? [] : found.slice(start, start + limit);
  const more = start >= 0 && start + limit < found.length;
  const cursor = more ? String(page[page.length - 1]) : null;
  send(response, 200, { rows: page.map((at) => rows[at]), cursor, stats, partial });
}

async function histogram(rows, params, response) {
  const { found, from, to, stats, partial } = await select(rows, params);
  const buckets = Number(params.get('buckets') ?? 60);
  const step = (to - from) / buckets;
  const counts = new Array(buckets).fill(0);
  for (const at of found) {
    const bucket = Math.floor((Date.parse(rows[at].time) - from) / step);
    if (bucket >= 0 && bucket < buckets) ++counts[bucket];
  }
  const iso = (ms) => new Date(ms).toISOString();
  const total = found.length;
  send(response, 200, {
    from: iso(from),
    to: iso(to),
    step_ns: step * 1e6,
    counts,
    total,
    stats,
    partial,
  });
}

async function sql(rows, params, response) {
  const text = params.get('q') ?? '';
  const pipe = text.indexOf('|');
  if (pipe < 0)
    throw new Refusal(400, 'invalid_argument', 'a | and a statement are missing', {
      position: text.length,
    });
  const { found, stats, partial } = await select(rows, params, text.slice(0, pipe));
  try {
    const answer = runStatement(
      text.slice(pipe + 1),
      found.map((at) => rows[at]),
    );
    const limit = Number(params.get('limit') ?? 1000);
    send(response, 200, {
      ...answer,
      rows: answer.rows.slice(0, limit),
      more: answer.rows.length > limit,
      stats,
      partial,
    });
  } catch (error) {
    if (!(error instanceof StatementError)) throw error;
    throw new Refusal(400, 'invalid_argument', error.message, { position: pipe + 2 + error.at });
  }
}

// Rows of [from, to) that match, newest first.
async function matching(rows, params, from = params.get('from'), to = params.get('to')) {
  const asked = new URLSearchParams(params);
  asked.set('from', from);
  asked.set('to', to ?? '');
  const { found, stats, partial } = await select(rows, asked);
  return { rows: found.map((at) => rows[at]), stats, partial };
}

async function fields(rows, params, response, name) {
  const { rows: found, stats, partial } = await matching(rows, params);
  const top = Number(params.get('top') ?? (name ? 100 : 10));
  const answer = name
    ? statistics.field(found, decodeURIComponent(name), top, params.get('prefix') ?? '')
    : statistics.fields(found, Number(params.get('rows') ?? 1e6), top);
  send(response, 200, { ...answer, stats, partial });
}

async function patterns(rows, params, response) {
  const { rows: found, stats, partial } = await matching(rows, params);
  const compare = params.get('compare_from')
    ? (await matching(rows, params, params.get('compare_from'), params.get('compare_to'))).rows
    : null;
  send(response, 200, {
    ...statistics.patterns(found, compare, Number(params.get('limit') ?? 100)),
    stats,
    partial,
  });
}

async function explain(rows, params, response) {
  const { found, stats, partial } = await select(rows, params);
  const blocks = (n) => ({ blocks: n, rows: n * 600 });
  const read = stats.blocks - stats.blocks_skipped;
  const fates = {
    time: blocks(stats.blocks_skipped),
    words: blocks(Math.floor(read / 3)),
    scanned: blocks(Math.ceil((2 * read) / 3)),
  };
  const terms = [{ term: params.get('q') || '*', ruled_out: Math.floor(read / 3), settled: 0 }];
  const plan = params.get('q') || '*';
  const cpu_ms = { filter: 0.2, times: 0.1, decode: 4.5, match: 2.1, rows: 0.4 };
  send(response, 200, {
    plan,
    blocks: stats.blocks,
    fates,
    cpu_ms,
    threads: 2,
    terms,
    rows_matched: found.length,
    stats,
    partial,
  });
}

function context(rows, params, response) {
  const number = (name, fallback) => Number(params.get(name) ?? fallback);
  send(
    response,
    200,
    statistics.context(
      rows,
      params.get('origin'),
      number('offset', 0),
      number('before', 20),
      number('after', 20),
    ),
  );
}

async function exported(rows, params, response) {
  const { rows: found } = await matching(rows, params);
  response.writeHead(200, {
    'Content-Type': 'application/x-ndjson',
    'Content-Disposition': `attachment; filename="rows.${params.get('format')}"`,
  });
  response.end(found.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

function tail(rows, params, request, response) {
  const test = compileOrRefuse(params.get('q') ?? '');
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write(': follow\n\n');
  const sink = (where, row) => {
    if (where === rows && test(row)) response.write(`event: row\ndata: ${JSON.stringify(row)}\n\n`);
  };
  tails.add(sink);
  if (/dropping/.test(params.get('q') ?? ''))
    response.write('event: dropped\ndata: {"rows":1200}\n\n');
  request.on('close', () => tails.delete(sink));
}

function add(rows, row) {
  rows.push(row);
  const last = rows.length - 1;
  if (last > 0 && rows[last - 1].time > row.time) rows.sort((a, b) => (a.time < b.time ? -1 : 1));
  for (const sink of tails) sink(rows, row);
}

function logstoresOf(project) {
  const names = [...stores.keys()].filter((key) => key.startsWith(`${project}/`));
  return names.map((key) => {
    const rows = stores.get(key);
    return {
      name: key.slice(project.length + 1),
      retention: '30d',
      retention_size: null,
      rows: rows.length,
      bytes: rows.length * 34,
      oldest: rows[0]?.time ?? null,
      newest: rows[rows.length - 1]?.time ?? null,
      raw_bytes: rows.length * 260,
      compression: rows.length ? 7.6 : null,
      rows_per_second: rows.length > 10000 ? rate : 0,
      bytes_per_second: rows.length > 10000 ? rate * 260 : 0,
      ...settings.get(key),
    };
  });
}

// The rows of one logstore, or of several by time; undefined when one of them is missing.
function rowsOf(project, names) {
  const all = names.map((name) => stores.get(`${project}/${name}`));
  if (all.includes(undefined)) return undefined;
  if (all.length === 1) return all[0];
  const named = all.flatMap((rows, at) => rows.map((row) => ({ ...row, logstore: names[at] })));
  return named.sort((a, b) => (a.time < b.time ? -1 : 1));
}

function note(logstores, params, rows) {
  const [q, from, to] = ['q', 'from', 'to'].map((name) => params.get(name) ?? '');
  admin.note({ q, logstores: logstores.split(','), from, to, wall_ms: 12, rows });
}

async function textOf(request) {
  let text = '';
  for await (const piece of request) text += piece;
  return text;
}

async function ingest(rows, request, response) {
  const lines = (await textOf(request)).split('\n').filter((line) => line.trim() !== '');
  for (const line of lines) {
    const {
      time = new Date().toISOString(),
      body = '',
      resource = {},
      ...fields
    } = JSON.parse(line);
    const origin = { id: '0'.repeat(32), offset: rows.length };
    add(rows, { time, body, fields, resource, origin });
  }
  send(response, 200, { accepted: lines.length });
}

async function create(where, key, request, response) {
  const { name, retention = null, retention_size = null } = JSON.parse(await textOf(request));
  if (where.has(key + name)) throw new Refusal(409, 'already_exists', `${name} exists.`);
  if (where === projects) projects.add(name);
  else {
    stores.set(key + name, []);
    settings.set(key + name, { retention, retention_size });
  }
  send(response, 201, { name });
}

async function signIn(request, response) {
  const { code, token: given } = JSON.parse(await textOf(request));
  if (!(code && codes.delete(code)) && given !== token) {
    throw new Refusal(401, 'unauthenticated', 'The server does not know this secret.');
  }
  const session = randomBytes(16).toString('hex');
  sessions.add(session);
  const cookie = `kelp_session=${session}; Path=/; HttpOnly; SameSite=Strict`;
  send(response, 200, { role: 'admin' }, { 'Set-Cookie': cookie });
}

async function api(request, response, url) {
  const call = `${request.method} ${url.pathname.replace(/^\/api\/v1\//, '')}`;
  if (call === 'POST sign-in') return signIn(request, response);
  if (!sessionOf(request)) throw new Refusal(401, 'unauthenticated', 'Sign in first.');
  if (call === 'POST sign-out') {
    sessions.clear();
    return send(response, 204);
  }
  if (call === 'GET session') return send(response, 200, { role: 'admin', version: '0.1.0-dev' });
  if (call === 'GET projects') {
    const all = [...projects].map((name) => ({ name, logstores: logstoresOf(name).length }));
    return send(response, 200, { projects: all });
  }
  if (call === 'POST projects') return create(projects, '', request, response);
  const list = /^(GET|POST) projects\/([\w-]+)\/logstores$/.exec(call);
  if (list?.[1] === 'GET') return send(response, 200, { logstores: logstoresOf(list[2]) });
  if (list) return create(stores, `${list[2]}/`, request, response);
  const cancelled = /^DELETE queries\/(\w+)$/.exec(call);
  if (cancelled) {
    running.get(cancelled[1])?.();
    return send(response, 204);
  }
  const one = /^(PATCH|DELETE) projects\/([\w-]+\/)logstores\/([\w-]+)$/.exec(call);
  if (one && stores.has(one[2] + one[3])) {
    if (one[1] === 'DELETE') stores.delete(one[2] + one[3]);
    else settings.set(one[2] + one[3], JSON.parse(await textOf(request)));
    return send(response, 204);
  }
  const place = /^(GET|POST) projects\/([\w-]+)\/logstores\/([\w,-]+)\/(\w+)(?:\/(.+))?$/.exec(
    call,
  );
  const rows = place && rowsOf(place[2], place[3].split(','));
  if (rows && place[1] === 'POST' && place[4] === 'rows') return ingest(rows, request, response);
  const read = {
    search,
    histogram,
    sql,
    tail,
    fields,
    patterns,
    context,
    explain,
    export: exported,
  }[place?.[4]];
  if (rows && read) {
    const params = url.searchParams;
    if (params.get('history') === '1') note(place[3], params, rows.length);
    return read === tail
      ? tail(rows, params, request, response)
      : read(rows, params, response, place[5]);
  }
  const sent = ['PUT', 'POST'].includes(request.method) ? JSON.parse(await textOf(request)) : null;
  const path = url.pathname.replace(/^\/api\/v1\//, '');
  const fail = (...why) => {
    throw new Refusal(...why);
  };
  const answer = admin.answer(request.method, path, sent, fail);
  if (answer !== undefined)
    return answer === null ? send(response, 204) : send(response, 200, answer);
  throw new Refusal(404, 'not_found', `There is no ${url.pathname}.`);
}

async function file(response, url) {
  const wanted = path.basename(url.pathname) || 'index.html';
  const name = /^[\w-]+\.\w+(\.map)?$/.test(wanted) ? wanted : 'index.html';
  const bytes = await readFile(path.join(root, 'dist', name));
  response.writeHead(200, {
    'Content-Type': kTypes[name.split('.').pop()],
    'Content-Security-Policy':
      "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-cache',
  });
  response.end(bytes);
}

// The call as it is, to the real server and back.
function passOn(request, response) {
  const { method, headers, url } = request;
  const call = forward(new URL(url, realServer), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  call.on('error', (error) => refuse(response, error));
  request.pipe(call);
}

function refuse(response, error) {
  if (response.headersSent) return response.destroy();
  if (!(error instanceof Refusal)) {
    const status = error.code === 'ENOENT' ? 404 : 500;
    return send(response, status, { error: { code: 'internal', message: error.message } });
  }
  const { retryAfter, ...extra } = error.extra;
  const headers = retryAfter ? { 'Retry-After': String(retryAfter) } : {};
  return send(
    response,
    error.status,
    { error: { code: error.code, message: error.message, ...extra } },
    headers,
  );
}

const server = createServer((request, response) => {
  const url = new URL(request.url, `http://${request.headers.host}`);
  if (realServer && url.pathname.startsWith('/api/')) return passOn(request, response);
  const answer = url.pathname.startsWith('/api/')
    ? api(request, response, url)
    : file(response, url);
  answer?.catch?.((error) => refuse(response, error));
});

setInterval(() => {
  const rows = stores.get('default/cluster');
  add(rows, makeRow(random, Date.now(), rows.length * 240));
}, 1000 / rate);

server.listen(port, '127.0.0.1', () => {
  const [code] = codes;
  console.log(
    `http://127.0.0.1:${server.address().port}/#/sign-in?code=${code}  (token: ${token})`,
  );
});
