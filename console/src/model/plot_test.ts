import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SqlAnswer, SqlColumn } from '../api/types';
import {
  axesOf,
  kCategoriesMax,
  kSeriesMax,
  plotOf,
  proposedKind,
  shortNumber,
  slicesOf,
  valueTicks,
} from './plot';

const kStats = {
  blocks: 0,
  blocks_skipped: 0,
  rows_scanned: 0,
  bytes_scanned: 0,
  cpu_ms: 0,
  wall_ms: 0,
};

function answer(
  columns: Array<[string, SqlColumn['type']]>,
  rows: SqlAnswer['rows'],
  chart: SqlAnswer['chart'] = null,
) {
  const named = columns.map(([name, type]) => ({ name, type }));
  return {
    columns: named,
    rows,
    chart,
    more: false,
    stats: kStats,
    partial: null,
  } satisfies SqlAnswer;
}

const kByTime = answer(
  [
    ['time', 'time'],
    ['level', 'text'],
    ['count', 'integer'],
  ],
  [
    ['2026-11-21T00:01:00Z', 'error', 2],
    ['2026-11-21T00:00:00Z', 'info', 5],
    ['2026-11-21T00:01:00Z', 'info', 7],
  ],
  { kind: 'time', x: 'time', series: ['level'], values: ['count'] },
);

test('GivesEachSeriesAValueForEachPoint', () => {
  const plot = plotOf(kByTime)!;
  assert.equal(plot.kind, 'time');
  assert.deepEqual(plot.xs, [Date.UTC(2026, 10, 21, 0, 0), Date.UTC(2026, 10, 21, 0, 1)]);
  assert.deepEqual(plot.series, [
    { name: 'error', values: [null, 2] },
    { name: 'info', values: [5, 7] },
  ]);
  assert.equal(proposedKind(kByTime), 'line');
});

test('ReadsTheTypesWhenTheServerProposesNothing', () => {
  const groups = answer(
    [
      ['pod', 'text'],
      ['n', 'integer'],
      ['avg', 'number'],
    ],
    [['a', 1, 2.5]],
  );
  assert.deepEqual(axesOf(groups), {
    kind: 'category',
    x: 'pod',
    series: [],
    values: ['n', 'avg'],
  });
  assert.deepEqual(
    plotOf(groups)!.series.map(({ name }) => name),
    ['n', 'avg'],
  );
  assert.equal(proposedKind(groups), 'table');
  const one = answer([['n', 'integer']], [[4]]);
  assert.equal(proposedKind(one), 'value');
  assert.equal(plotOf(answer([['body', 'text']], [['x']])), null);
  assert.equal(plotOf(answer([['n', 'integer']], [])), null);
});

test('LeavesOutWhatCannotBeToldApartAndSaysHowMuch', () => {
  const rows = Array.from({ length: 100 }, (_, n) => [`p${n}`, n]);
  const plot = plotOf(
    answer(
      [
        ['pod', 'text'],
        ['n', 'integer'],
      ],
      rows,
    ),
  )!;
  assert.equal(plot.xs.length, kCategoriesMax);
  assert.equal(plot.xsLeftOut, 100 - kCategoriesMax);
  const many = Array.from({ length: 30 }, (_, n) => ['2026-11-21T00:00:00Z', `s${n}`, n]);
  const lines = plotOf(
    answer(
      [
        ['t', 'time'],
        ['s', 'text'],
        ['n', 'integer'],
      ],
      many,
    ),
  )!;
  assert.equal(lines.series.length, kSeriesMax);
  assert.equal(lines.series[0]!.name, 's29');
  assert.equal(lines.seriesLeftOut, 30 - kSeriesMax);
});

test('CutsAWholeIntoPartsOfWhichTheSmallOnesAreOne', () => {
  const rows = Array.from({ length: 12 }, (_, n) => [`p${n}`, n === 0 ? 88 : 1]);
  const slices = slicesOf(
    plotOf(
      answer(
        [
          ['pod', 'text'],
          ['n', 'integer'],
        ],
        rows,
      ),
    )!,
    'other',
  );
  assert.equal(slices.length, 8);
  assert.deepEqual(slices[7], { name: 'other', value: 5, share: 5 / 99 });
  assert.equal(slices.reduce((all, { share }) => all + share, 0).toFixed(9), '1.000000000');
});

test('TicksAreRoundAndCoverTheRange', () => {
  assert.deepEqual(valueTicks(0, 97, 5), [0, 20, 40, 60, 80, 100]);
  assert.deepEqual(valueTicks(0, 0.3, 4), [0, 0.1, 0.2, 0.3]);
  const wide = valueTicks(-3, 4, 4);
  assert.ok(wide[0]! <= -3 && wide[wide.length - 1]! >= 4);
  assert.ok(valueTicks(5, 5, 4).length >= 2);
});

test('WritesNumbersShort', () => {
  assert.deepEqual([0, 999, 1234, 12500, 3.4e6, 0.03456].map(shortNumber), [
    '0',
    '999',
    '1,234',
    '12.5k',
    '3.4M',
    '0.0346',
  ]);
});
