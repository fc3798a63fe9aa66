// Short messages about what just happened; each goes away by itself and is read out once.
import { Value } from '../base/value';
import { useValue } from './hooks';

const kShownMillis = 2200;
// What went wrong takes longer to read.
const kProblemMillis = 7000;

export class Toaster {
  readonly message = new Value('');
  private timer: number | undefined;

  show(message: string): void {
    this.showFor(message, kShownMillis);
  }

  showProblem(message: string): void {
    this.showFor(message, kProblemMillis);
  }

  private showFor(message: string, millis: number): void {
    window.clearTimeout(this.timer);
    this.message.set(message);
    this.timer = window.setTimeout(() => this.message.set(''), millis);
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
