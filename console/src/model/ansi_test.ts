import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ansiSpans, stripAnsi } from './ansi';

const kEsc = '\u001b';

test('TurnsColoursIntoSpans', () => {
  assert.deepEqual(ansiSpans(`a ${kEsc}[31mred ${kEsc}[1mbold${kEsc}[0m b`), [
    { text: 'a ', look: '' },
    { text: 'red ', look: 'ansi-1' },
    { text: 'bold', look: 'ansi-1 ansi-bold' },
    { text: ' b', look: '' },
  ]);
  assert.equal(ansiSpans(`${kEsc}[92mx`)[0]!.look, 'ansi-10');
});

test('ReadsPalettesAndTrueColour', () => {
  assert.equal(ansiSpans(`${kEsc}[38;5;196mx`)[0]!.look, 'ansi-9');
  assert.equal(ansiSpans(`${kEsc}[38;2;0;200;0;4mx`)[0]!.look, 'ansi-10 ansi-underline');
  assert.equal(ansiSpans(`${kEsc}[48;5;21mx`)[0]!.look, '', 'grounds are left out');
});

test('LeavesOutWhatIsNoColourAndLosesNoText', () => {
  const text = `${kEsc}[2Kone${kEsc}]0;title\u0007 two${kEsc}[m${kEsc}[999;31mthree${kEsc}`;
  assert.equal(
    ansiSpans(text)
      .map((span) => span.text)
      .join(''),
    stripAnsi(text),
  );
  assert.ok(stripAnsi(text).startsWith('one two'));
  assert.deepEqual(ansiSpans('plain'), [{ text: 'plain', look: '' }]);
  assert.deepEqual(ansiSpans(`${kEsc}[31m`), [{ text: '', look: '' }]);
});
