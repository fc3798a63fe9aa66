import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Alert } from '../../api/admin';
import { alertOf, formOf, newAlert, wrongBox } from './alert_form';

const kAlert: Alert = {
  ...newAlert('web'),
  name: 'errors',
  condition: { column: 'n', op: '>=', value: 2.5 },
  group_by: ['pod', 'node'],
  webhook: { url: 'https://example.com/x', headers: { A: 'b' }, body: 'text' },
};

test('AFormBringsTheSameAlertBack', () => {
  assert.deepEqual(alertOf(formOf(kAlert), kAlert), kAlert);
  assert.deepEqual(alertOf(formOf(newAlert('a')), newAlert('a')), newAlert('a'));
});

test('SaysWhichBoxIsWrong', () => {
  const form = formOf(kAlert);
  assert.equal(wrongBox(form), null);
  assert.equal(wrongBox({ ...form, name: ' ' }), 'name');
  assert.equal(wrongBox({ ...form, name: 'Too many' }), 'name');
  assert.equal(wrongBox({ ...form, value: 'many' }), 'value');
  assert.equal(wrongBox({ ...form, value: '' }), 'value');
  assert.equal(wrongBox({ ...form, logstores: [] }), 'logstores');
  assert.equal(wrongBox({ ...form, url: 'javascript:alert(1)' }), 'url');
});
