import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiClient } from '../../api/client';
import type { Panel } from '../../api/library';
import { plotOf } from '../../model/plot';
import { askPanel } from './panel_query';

const kStats = {
  blocks: 0,
  blocks_skipped: 0,
  rows_scanned: 0,
  bytes_scanned: 0,
  cpu_ms: 0,
  wall_ms: 0,
};

function fake() {
  const asked: string[] = [];
  const rest = { stats: kStats, partial: null };
  const api = {
    sql: async () => (
      asked.push('sql'),
      { columns: [], rows: [], more: false, chart: null, ...rest }
    ),
    search: async () => {
      asked.push('search');
      const row = {
        time: '2026-11-21T00:00:00Z',
        body: 'ERROR x',
        fields: {},
        resource: {},
        origin: { id: '0', offset: 0 },
      };
      return { rows: [row], cursor: null, ...rest };
    },
    histogram: async ({ buckets }: { buckets: number }) => {
      asked.push(`histogram ${buckets}`);
      return {
        from: '2026-11-21T00:00:00Z',
        to: '2026-11-21T00:00:02Z',
        step_ns: 1e9,
        counts: [3, 4],
        total: 7,
        ...rest,
      };
    },
  };
  return { api: api as unknown as ApiClient, asked };
}

function ask(api: ApiClient, panel: Partial<Panel>) {
  const whole: Panel = {
    title: '',
    logstores: ['a'],
    q: 'error',
    chart: 'line',
    width: 6,
    ...panel,
  };
  return askPanel(api, 'p', whole, { from: 0, to: 1 }, 'id', new AbortController().signal);
}

test('APlainSearchIsDrawnByWhatThePanelWants', async () => {
  const { api, asked } = fake();
  assert.deepEqual((await ask(api, { chart: 'table' })).rows, [
    ['2026-11-21T00:00:00Z', 'error', 'ERROR x'],
  ]);
  assert.deepEqual((await ask(api, { chart: 'value' })).rows, [[7]]);
  const plot = plotOf(await ask(api, { chart: 'line' }))!;
  assert.deepEqual(plot.series, [{ name: 'count', values: [3, 4] }]);
  assert.deepEqual(asked, ['search', 'histogram 1', 'histogram 60']);
});

test('AStatementIsAskedAsItIs', async () => {
  const { api, asked } = fake();
  await ask(api, { q: '* | stats count()', chart: 'value' });
  assert.deepEqual(asked, ['sql']);
});
