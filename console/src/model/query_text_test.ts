import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addTerm,
  canName,
  exactTerm,
  indexOfCharacter,
  joinQuery,
  markWords,
  splitQuery,
  tokenize,
  wantedWords,
  wordsPattern,
} from './query_text';

function kinds(text: string): string {
  return tokenize(text)
    .filter(({ kind }) => kind !== 'space')
    .map(({ kind, start, end }) => `${kind}:${text.slice(start, end)}`)
    .join(' ');
}

test('TokensCoverTheWholeQuery', () => {
  for (const text of [
    '',
    'a  b',
    '"open',
    'x:[1 TO',
    '/open',
    'a:(b OR "c\\" d") -e &',
    '日志 😀',
  ]) {
    assert.equal(
      tokenize(text)
        .map(({ start, end }) => text.slice(start, end))
        .join(''),
      text,
    );
  }
});

test('ColoursTheLanguage', () => {
  assert.equal(
    kinds('level:error AND (NOT "a b" OR -x*)'),
    'field:level: word:error keyword:AND paren:( keyword:NOT phrase:"a b" keyword:OR operator:- word:x* paren:)',
  );
  assert.equal(
    kinds('status:[500 TO 599] took:>=2.5 /GET \\/v1/'),
    'field:status: range:[500 TO 599] field:took: operator:>= word:2.5 regex:/GET \\/v1/',
  );
  assert.equal(kinds('path:/var/log/x.log a-b'), 'field:path: regex:/var/ word:log/x.log word:a-b');
});

test('MarksOnlyWordsThatAMatchContains', () => {
  assert.deepEqual(wantedWords('error level:warn "two words" NOT gone -left'), [
    'error',
    'warn',
    'two words',
  ]);
  assert.deepEqual(wantedWords('time* a:>5 b:=exact * /re/'), ['time', 'exact']);
  assert.deepEqual(wantedWords('x NOT (a OR b) y'), ['x', 'y']);
  assert.deepEqual(wantedWords('say "a \\"quoted\\" one"'), ['say', 'a "quoted" one']);
});

test('CutsTextIntoMarkedAndPlainSpans', () => {
  const pattern = wordsPattern(['error', 'a.b']);
  assert.deepEqual(markWords('An ERROR in a.b, not axb', pattern), [
    { text: 'An ', marked: false },
    { text: 'ERROR', marked: true },
    { text: ' in ', marked: false },
    { text: 'a.b', marked: true },
    { text: ', not axb', marked: false },
  ]);
  assert.deepEqual(markWords('plain', null), [{ text: 'plain', marked: false }]);
  assert.deepEqual(markWords('', pattern), [{ text: '', marked: false }]);
});

test('QuotesWhatIsNotAWord', () => {
  assert.equal(exactTerm('level', 'error'), 'level:=error');
  assert.equal(exactTerm('msg', 'two words'), 'msg:="two words"');
  assert.equal(exactTerm('msg', 'say "hi" \\o/'), 'msg:="say \\"hi\\" \\\\o/"');
  assert.equal(exactTerm('empty', ''), 'empty:=""');
  assert.equal(exactTerm('word', 'NOT'), 'word:="NOT"');
  assert.equal(exactTerm('path', '/var/log'), 'path:="/var/log"');
  assert.equal(exactTerm('glob', 'a*'), 'glob:="a*"');
  assert.equal(exactTerm('status', 503), 'status:=503');
  assert.equal(exactTerm('delta', -1.5), 'delta:="-1.5"');
  assert.equal(exactTerm('ok', true), 'ok:=true');
});

test('HasNoTermForWhatTheLanguageCannotSay', () => {
  assert.equal(exactTerm('a b', 'x'), null);
  assert.equal(exactTerm('x', null), null);
  assert.equal(exactTerm('x', { a: 1 }), null);
  assert.equal(exactTerm('trace', 'line\nline'), null);
  assert.ok(canName('k8s.pod.name') && canName('字段') && canName('a-b'));
  assert.ok(!canName('') && !canName('a:b') && !canName('-a'));
});

test('AddsATermOnce', () => {
  assert.equal(addTerm('', 'a:=1', 'include'), 'a:=1');
  assert.equal(addTerm(' * ', 'a:=1', 'exclude'), 'NOT a:=1');
  assert.equal(addTerm('x', 'a:=1', 'include'), 'x a:=1');
  assert.equal(addTerm('x a:=1', 'a:=1', 'include'), 'x a:=1');
  assert.equal(addTerm('x AND NOT a:=1', 'a:=1', 'exclude'), 'x AND NOT a:=1');
});

test('ReplacesTheOppositeTerm', () => {
  assert.equal(addTerm('x NOT a:=1 y', 'a:=1', 'include'), 'x y a:=1');
  assert.equal(addTerm('x -a:="b c" y', 'a:="b c"', 'include'), 'x y a:="b c"');
  assert.equal(addTerm('a:=1', 'a:=1', 'exclude'), 'NOT a:=1');
});

test('KeepsAnOrTogetherWhenATermIsAdded', () => {
  assert.equal(addTerm('a OR b', 'c:=1', 'include'), '(a OR b) c:=1');
  assert.equal(addTerm('(a OR b) d', 'c:=1', 'exclude'), '(a OR b) d NOT c:=1');
  assert.equal(addTerm('"a OR b"', 'c:=1', 'include'), '"a OR b" c:=1');
});

test('CountsCharactersAsTheServerDoes', () => {
  assert.equal(indexOfCharacter('ab', 1), 1);
  assert.equal(indexOfCharacter('😀(x', 1), 2);
  assert.equal(indexOfCharacter('日志(x', 2), 2);
  assert.equal(indexOfCharacter('ab', 9), 2);
});

test('CutsAQueryAtTheFirstPipeOutsideOfTexts', () => {
  assert.deepEqual(splitQuery('a "x | y" /b|c/ | stats count() by z'), {
    search: 'a "x | y" /b|c/',
    statement: 'stats count() by z',
  });
  assert.deepEqual(splitQuery('a b'), { search: 'a b', statement: null });
  assert.deepEqual(splitQuery('|'), { search: '', statement: '' });
  assert.equal(joinQuery({ search: '', statement: 'top 5 pod' }), '* | top 5 pod');
});

test('ColoursStatements', () => {
  assert.equal(
    kinds("* | SELECT count(*) AS n, 'it''s' WHERE \"k.pod\" >= 10 | timechart 1m by level"),
    'word:* pipe:| keyword:SELECT function:count paren:( operator:* paren:) keyword:AS word:n other:, ' +
      "phrase:'it''s' keyword:WHERE field:\"k.pod\" operator:>= number:10 pipe:| keyword:timechart number:1m " +
      'keyword:by word:level',
  );
});

test('NarrowsTheSearchInFrontOfAStatement', () => {
  assert.equal(
    addTerm('a OR b | stats count()', 'x:=1', 'include'),
    '(a OR b) x:=1 | stats count()',
  );
  assert.equal(addTerm('| stats count()', 'x:=1', 'exclude'), 'NOT x:=1 | stats count()');
  assert.deepEqual(wantedWords('error | stats count() by pod'), ['error']);
});
