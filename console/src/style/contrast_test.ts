import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

// `npm test` runs in console/.
const kTokens = readFileSync('src/style/tokens.css', 'utf8');

function themes(): Array<[string, Map<string, string>]> {
  const [light, dark] = kTokens.split(":root[data-theme='dark']");
  const read = (text: string) =>
    new Map(
      [...text.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map((match) => [match[1]!, match[2]!]),
    );
  return [
    ['light', read(light!)],
    ['dark', read(dark!)],
  ];
}

function luminance(colour: string): number {
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  const [red, green, blue] = parts.map((part) =>
    part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high! + 0.05) / (low! + 0.05);
}

// What stands on what. 4.5 is what WCAG AA asks of text, 3 of lines and bars.
const kTextPairs: Array<[string[], string[]]> = [
  [
    ['text', 'muted'],
    ['bg', 'surface', 'surface-2', 'row-hover', 'row-open'],
  ],
  [
    ['accent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'],
    ['surface', 'row-hover', 'row-open'],
  ],
  [['accent-strong', 'text'], ['accent-soft']],
  [['error'], ['error-soft']],
  [['warn'], ['warn-soft']],
  [['on-accent'], ['accent']],
  [['on-mark'], ['mark']],
  [['q-field', 'q-string', 'q-regex', 'q-operator'], ['surface']],
  [
    ['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'],
    ['surface', 'row-hover'],
  ],
];
const kGraphicPairs: Array<[string[], string[]]> = [
  [
    [
      'c0',
      'c1',
      'c2',
      'c3',
      'c4',
      'c5',
      'c6',
      'c7',
      'c8',
      'c9',
      'bar-active',
      'bar-error',
      'bar-warn',
    ],
    ['surface'],
  ],
];

test('TextCanBeReadInBothThemes', () => {
  for (const [theme, colours] of themes()) {
    for (const [pairs, least] of [
      [kTextPairs, 4.5],
      [kGraphicPairs, 3],
    ] as const) {
      for (const [fronts, grounds] of pairs) {
        for (const front of fronts) {
          for (const ground of grounds) {
            const ratio = contrast(colours.get(front)!, colours.get(ground)!);
            assert.ok(ratio >= least, `${theme}: ${front} on ${ground} is ${ratio.toFixed(2)}`);
          }
        }
      }
    }
  }
});
