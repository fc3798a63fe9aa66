import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Row } from '../api/types';
import { levelOf, bodyJson, columnText, isRequestId, properties, rowView, sourceOf } from './row';

function row(part: Partial<Row>): Row {
  return {
    time: '2026-11-21T13:05:07.000000001Z',
    body: '',
    fields: {},
    resource: {},
    origin: { id: 'ab', offset: 1 },
    ...part,
  };
}

test('FindsTheLevelInFields', () => {
  assert.equal(levelOf(row({ fields: { level: 'ERROR' } })), 'error');
  assert.equal(levelOf(row({ fields: { severity: 'Critical' } })), 'fatal');
  assert.equal(levelOf(row({ fields: { level: 30 } })), 'info');
  assert.equal(levelOf(row({ fields: { priority: '4' } })), 'warn');
  assert.equal(levelOf(row({ fields: { level: 'purple' }, body: 'WARN x' })), 'warn');
});

test('FindsTheLevelInTheBody', () => {
  const bodies: Array<[string, string]> = [
    ['2026-11-21 13:05:07 ERROR Main - broken', 'error'],
    ['[warning] cache is cold', 'warn'],
    ['W1121 13:05:07.123456       1 file.go:12] slow', 'warn'],
    ['{"level":"debug","msg":"x"}', 'debug'],
    ['ts=1 level=info msg=ok', 'info'],
    ['kernel: <info> link up', 'info'],
    ['there were no errors today', 'none'],
    ['GET /error HTTP/1.1', 'none'],
    [`${' '.repeat(500)}ERROR far away`, 'none'],
  ];
  for (const [body, level] of bodies) assert.equal(levelOf(row({ body })), level, body);
});

test('NamesTheSourceShortly', () => {
  const pod = {
    'k8s.pod.name': 'web-0',
    'k8s.container.name': 'proxy',
    'log.file.path': '/x/0.log',
  };
  assert.equal(sourceOf(row({ resource: pod })), 'web-0/proxy');
  assert.equal(sourceOf(row({ resource: { ...pod, 'k8s.container.name': 'web' } })), 'web-0');
  assert.equal(sourceOf(row({ resource: { 'log.file.path': '/var/log/syslog' } })), 'syslog');
  assert.equal(sourceOf(row({ resource: { 'host.name': 'a1' } })), 'a1');
  assert.equal(sourceOf(row({})), '');
});

test('ShowsAMessageFieldWhenThereIsNoBody', () => {
  const view = rowView(row({ fields: { level: 'info', msg: 'hello', user: 7, deep: { a: [1] } } }));
  assert.equal(view.text, 'hello');
  assert.deepEqual(view.extras, [
    ['user', '7'],
    ['deep', '{"a":[1]}'],
  ]);
});

test('KeepsAFoldedRowOnOneLine', () => {
  const view = rowView(row({ body: 'first\n\tsecond\u0000third' }));
  assert.equal(view.text, 'first second third');
  assert.ok(rowView(row({ body: 'x'.repeat(100_000) })).text.length <= 2000);
});

test('ListsPropertiesInNameOrder', () => {
  assert.deepEqual(
    properties({ b: null, a: { x: 1 }, c: false }).map(({ name, text }) => `${name}=${text}`),
    ['a={\n  "x": 1\n}', 'b=null', 'c=false'],
  );
});

test('LaysOutOnlyWhatIsJson', () => {
  assert.deepEqual(bodyJson(' {"a":1}'), { a: 1 });
  assert.equal(bodyJson('{not json}'), null);
  assert.equal(bodyJson('7'), null);
});

test('KnowsTheFieldsThatTieRequestsTogether', () => {
  for (const name of [
    'request_id',
    'trace_id',
    'traceId',
    'http.request_id',
    'X-Request-Id',
    'req.id',
  ]) {
    assert.ok(isRequestId(name), name);
  }
  for (const name of ['id', 'user_id', 'valid', 'grid', 'trace'])
    assert.ok(!isRequestId(name), name);
});

test('ColumnsShowFieldsTagsAndTheBody', () => {
  const shown = row({ body: 'two\nlines', fields: { a: { b: 1 } }, resource: { pod: 'web' } });
  assert.deepEqual(
    ['body', 'a', 'pod', 'none'].map((name) => columnText(shown, name)),
    ['two lines', '{"b":1}', 'web', ''],
  );
});

test('TerminalColoursDoNotHideTheLevel', () => {
  assert.equal(levelOf(row({ body: '\u001b[31mERROR\u001b[0m broken' })), 'error');
});
