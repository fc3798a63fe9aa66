// A bar that says what went wrong or is missing, and what to do about it.
import type { ComponentChildren } from 'preact';
import { Icon } from './icon';

interface Props {
  kind: 'error' | 'warning' | 'info';
  title: string;
  children?: ComponentChildren;
  action?: { text: string; run: () => void };
}

export function Notice({ kind, title, children, action }: Props) {
  return (
    <div class={`notice notice-${kind}`} role={kind === 'error' ? 'alert' : 'status'}>
      <Icon name="warning" />
      <div class="notice-text">
        <strong>{title}</strong>
        {children && <span>{children}</span>}
      </div>
      {action && (
        <button type="button" class="button button-small" onClick={action.run}>
          {action.text}
        </button>
      )}
    </div>
  );
}
