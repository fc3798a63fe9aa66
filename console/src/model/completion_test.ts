import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  apply,
  fieldCompletions,
  statementCompletions,
  valueCompletions,
  wantedAt,
  type Wanted,
} from './completion';

// The caret stands at `^`.
function at(marked: string): Wanted | null {
  return wantedAt(marked.replace('^', ''), marked.indexOf('^'));
}

test('KnowsWhatIsWantedAtTheCaret', () => {
  assert.deepEqual(at('err^'), { kind: 'field', prefix: 'err', from: 0, to: 3 });
  assert.deepEqual(at('a (-le^ b'), { kind: 'field', prefix: 'le', from: 4, to: 6 });
  assert.deepEqual(at('level:er^'), {
    kind: 'value',
    field: 'level',
    prefix: 'er',
    from: 6,
    to: 8,
  });
  assert.deepEqual(at('x level:="two wo^'), {
    kind: 'value',
    field: 'level',
    prefix: 'two wo',
    from: 9,
    to: 16,
  });
  assert.equal(at('* | stats co^')!.kind, 'statement');
  assert.deepEqual(at('* | ^'), { kind: 'statement', prefix: '', from: 4, to: 4, fresh: true });
});

test('ProposesNothingInsideTextsRangesAndComparisons', () => {
  for (const marked of ['"some te^', 'a:>5^', 'a:[1 TO ^', '/ab^c/', "* | SELECT 'te^"]) {
    assert.equal(at(marked), null, marked);
  }
});

const kNames = ['level', 'k8s.pod.name', 'odd name', 'status'];

test('ProposesFieldsThatBeginSoThenThoseThatHoldIt', () => {
  const texts = (marked: string) =>
    fieldCompletions(at(marked) as Wanted & { kind: 'field' }, kNames).map(({ text }) => text);
  assert.deepEqual(texts('po^'), ['k8s.pod.name']);
  assert.deepEqual(texts('le^'), ['level']);
  assert.deepEqual(texts('^'), ['level', 'k8s.pod.name', 'status']);
  assert.deepEqual(texts('O^'), ['k8s.pod.name', 'OR']);
});

test('ValuesAreQuotedWhereTheyNeedIt', () => {
  const wanted = at('level:=^ more') as Wanted & { kind: 'value' };
  const list = valueCompletions(wanted, [
    { value: 'two words', rows: 3 },
    { value: 'ok', rows: 1 },
  ]);
  assert.deepEqual(
    list.map(({ insert }) => insert),
    ['"two words" ', 'ok '],
  );
  assert.deepEqual(apply('level:= more', wanted, list[0]!), {
    text: 'level:="two words" more',
    caret: 19,
  });
});

test('BehindAPipeComeStepsThenFunctionsAndColumns', () => {
  const texts = (marked: string) =>
    statementCompletions(at(marked) as Wanted & { kind: 'statement' }, kNames).map(
      ({ text }) => text,
    );
  assert.deepEqual(texts('* | st^'), ['stats']);
  assert.ok(texts('* | stats co^').includes('count()'));
  assert.ok(texts('* | stats count() by po^').includes('k8s.pod.name'));
});
