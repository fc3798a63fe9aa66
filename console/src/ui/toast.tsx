// Short messages about what just happened; each goes away by itself and is read out once.
import { Value } from '../base/value';
import { useValue } from './hooks';

const kShownMillis = 2200;

export class Toaster {
  readonly message = new Value('');
  private timer: number | undefined;

  show(message: string): void {
    window.clearTimeout(this.timer);
    this.message.set(message);
    this.timer = window.setTimeout(() => this.message.set(''), kShownMillis);
  }
}

export function Toast({ toaster }: { toaster: Toaster }) {
  const message = useValue(toaster.message);
  return (
    <div class="toast" role="status" aria-live="polite">
      {message && <span>{message}</span>}
    </div>
  );
}
