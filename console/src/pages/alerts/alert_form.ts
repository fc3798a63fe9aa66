// An alert as the boxes of a form, and back.
import type { Alert, Operator } from '../../api/admin';

export const kOperators: readonly Operator[] = ['>', '>=', '<', '<=', '==', '!='];

export function newAlert(logstore: string): Alert {
  return {
    name: '',
    enabled: true,
    logstores: [logstore],
    q: 'level:error',
    every: '1m',
    window: '5m',
    condition: { op: '>', value: 0 },
    for: '0s',
    group_by: [],
    webhook: null,
    repeat: '4h',
  };
}

export interface AlertForm {
  name: string;
  enabled: boolean;
  logstores: string[];
  q: string;
  every: string;
  window: string;
  column: string;
  op: Operator;
  value: string;
  forTime: string;
  groupBy: string;
  url: string;
  repeat: string;
}

export function formOf(alert: Alert): AlertForm {
  return {
    name: alert.name,
    enabled: alert.enabled,
    logstores: alert.logstores,
    q: alert.q,
    every: alert.every,
    window: alert.window,
    column: alert.condition.column ?? '',
    op: alert.condition.op,
    value: String(alert.condition.value),
    forTime: alert.for,
    groupBy: alert.group_by.join(', '),
    url: alert.webhook?.url ?? '',
    repeat: alert.repeat,
  };
}

// As the server wants names of alerts.
const kName = /^[a-z0-9_][a-z0-9._-]{0,127}$/;

export type Wrong = 'name' | 'value' | 'logstores' | 'url' | null;

// The first box that cannot stay as it is. What the server knows better, it says.
export function wrongBox(form: AlertForm): Wrong {
  if (!kName.test(form.name.trim())) return 'name';
  if (form.logstores.length === 0) return 'logstores';
  if (form.value.trim() === '' || !Number.isFinite(Number(form.value))) return 'value';
  if (form.url.trim() && !/^https?:\/\/[^\s/]+/.test(form.url.trim())) return 'url';
  return null;
}

// What the form does not show (headers and text of the webhook) stays as it was.
export function alertOf(form: AlertForm, before: Alert): Alert {
  const column = form.column.trim();
  const url = form.url.trim();
  return {
    name: form.name.trim(),
    enabled: form.enabled,
    logstores: form.logstores,
    q: form.q,
    every: form.every.trim(),
    window: form.window.trim(),
    condition: { ...(column ? { column } : {}), op: form.op, value: Number(form.value) },
    for: form.forTime.trim(),
    group_by: form.groupBy
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean),
    webhook: url ? { ...before.webhook, url } : null,
    repeat: form.repeat.trim(),
  };
}
