import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Logstore } from '../api/types';
import { firstChoice, type CatalogState } from './catalog';

function store(name: string, rows: number): Logstore {
  return { name, retention: null, retention_size: null, rows, bytes: 0, oldest: null, newest: null };
}

const kState: CatalogState = {
  loaded: true,
  problem: null,
  projects: [
    { name: 'a', logstores: [store('small', 5), store('none', 0)] },
    { name: 'b', logstores: [store('large', 50)] },
  ],
};

test('BeginsWhereTheReaderLeft', () => {
  const left = { project: 'a', logstore: 'none' };
  assert.deepEqual(firstChoice(kState, left), left);
});

test('BeginsWithTheLogstoreThatHasMostRows', () => {
  const chosen = firstChoice(kState, { project: 'a', logstore: 'gone' });
  assert.deepEqual(chosen, { project: 'b', logstore: 'large' });
  assert.equal(firstChoice({ ...kState, projects: [] }, { project: '', logstore: '' }), null);
});
