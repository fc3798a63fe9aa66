import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numberText, parseExact, plainNumbers } from './json';

test('ReadsPlainAnswers', () => {
  const text = '{"a":[1,2.5,null,true],"b":"x"}';
  assert.deepEqual(parseExact(text), { a: [1, 2.5, null, true], b: 'x' });
  assert.equal(JSON.stringify(parseExact(text)), text);
});

test('KeepsNumbersAsTheyWereWritten', () => {
  const text = '{"id":9007199254740993,"whole":1.0,"e":1e3,"n":7}';
  const read = parseExact(text) as Record<string, unknown>;
  assert.equal(numberText(read.n), '7');
  // Runtimes without raw JSON read doubles.
  if ('rawJSON' in JSON) {
    assert.equal(numberText(read.id), '9007199254740993');
    assert.equal(numberText(read.whole), '1.0');
    assert.equal(JSON.stringify(read), text);
  } else {
    assert.equal(numberText(read.whole), '1');
  }
  assert.deepEqual(plainNumbers(parseExact('{"ms":0.820}')), { ms: 0.82 });
  assert.equal(numberText('7'), null);
  assert.equal(numberText({ rawJSON: '7' }), null);
});
