import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventParser } from './sse';

test('ReadsEventsHoweverTheyAreCut', () => {
  const stream = ': hello\n\nevent: row\ndata: {"a":1}\n\nevent: dropped\r\ndata:{"rows":2}\r\n\r\ndata: x\ndata: y\n\n';
  const whole = new EventParser().push(stream);
  assert.deepEqual(whole, [
    { event: 'row', data: '{"a":1}' },
    { event: 'dropped', data: '{"rows":2}' },
    { event: 'message', data: 'x\ny' },
  ]);
  for (let size = 1; size < 9; ++size) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < stream.length; at += size) events.push(...parser.push(stream.slice(at, at + size)));
    assert.deepEqual(events, whole, `pieces of ${size}`);
  }
});

test('IgnoresCommentsAndUnknownFields', () => {
  assert.deepEqual(new EventParser().push(': ping\n\nid: 4\nretry: 10\n\n'), []);
});
