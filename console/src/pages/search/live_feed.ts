// A live tail that survives broken connections, can be held, and never outruns the page.
//
// Place:   search_session.ts owns one while the search is live.
// Order:   start once, hold and release any number of times, stop once; nothing is told after stop.
// Limits:  kPendingRowsMax rows wait while held, kFlushRowsMax are shown per flush; what is beyond is
//          counted in `dropped` together with what the server left out.
// Errors:  a refusal that a retry cannot mend goes to `onRefused` and ends the feed; any other end of
//          the connection is tried again with growing pauses.
// Tests:   live_feed_test.ts
import { ApiError, isAbort, type TailEvents } from '../../api/client';
import type { Row } from '../../api/types';

export interface LiveState {
  connection: 'connecting' | 'open' | 'waiting';
  held: boolean;
  received: number;
  pending: number;
  dropped: number;
  rate: number; // rows per second
  retrySeconds: number;
}

export interface FeedSink {
  onState(state: LiveState): void;
  // Newest first.
  onRows(rows: Row[]): void;
  // Once per connection: rows may have been missed between the last one and this.
  onOpen(): void;
  onRefused(error: ApiError): void;
}

export type OpenTail = (events: TailEvents, signal: AbortSignal) => Promise<void>;

// Four redraws a second look live and leave the processor to the reader.
const kFlushMillis = 250;
const kFlushRowsMax = 300;
const kPendingRowsMax = 1000;
const kRetrySecondsMax = 30;

export class LiveFeed {
  private readonly abort = new AbortController();
  private readonly pending: Row[] = []; // oldest first
  private timer: ReturnType<typeof setInterval> | null = null;
  private attempts = 0;
  private arrivedSinceFlush = 0;
  private state: LiveState = {
    connection: 'connecting',
    held: false,
    received: 0,
    pending: 0,
    dropped: 0,
    rate: 0,
    retrySeconds: 0,
  };

  constructor(
    private readonly open: OpenTail,
    private readonly sink: FeedSink,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.flush(), kFlushMillis);
    this.tell({});
    void this.follow();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.abort.abort();
  }

  setHeld(held: boolean): void {
    if (held === this.state.held) return;
    this.tell({ held });
    if (!held) this.flush();
  }

  // Called by the timer; a test calls it in the timer's place.
  flush(): void {
    const rate = this.state.rate * 0.8 + this.arrivedSinceFlush * (1000 / kFlushMillis) * 0.2;
    this.arrivedSinceFlush = 0;
    const settled = rate < 0.05 ? 0 : rate;
    if (this.state.held) {
      this.tell({ rate: settled, pending: this.pending.length });
      return;
    }
    const surplus = this.cutPendingTo(kFlushRowsMax);
    const rows = this.pending.splice(0).reverse();
    this.tell({ rate: settled, pending: 0, dropped: this.state.dropped + surplus });
    if (rows.length > 0) this.sink.onRows(rows);
  }

  private async follow(): Promise<void> {
    while (!this.abort.signal.aborted) {
      try {
        await this.open(this.events(), this.abort.signal);
      } catch (error) {
        if (isAbort(error) || this.abort.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        if (error.status >= 400 && error.status < 500 && error.status !== 429) {
          this.stop();
          this.sink.onRefused(error);
          return;
        }
      }
      await this.waitBeforeRetry();
    }
  }

  private events(): TailEvents {
    return {
      onOpen: () => {
        this.attempts = 0;
        this.tell({ connection: 'open' });
        if (!this.abort.signal.aborted) this.sink.onOpen();
      },
      onRow: (row) => {
        ++this.arrivedSinceFlush;
        ++this.state.received;
        this.pending.push(row);
        // Twice the limit before cutting keeps the cut cheap.
        if (this.pending.length > 2 * kPendingRowsMax) {
          this.state.dropped += this.cutPendingTo(kPendingRowsMax);
        }
      },
      onDropped: (rows) => this.tell({ dropped: this.state.dropped + rows }),
    };
  }

  private async waitBeforeRetry(): Promise<void> {
    let seconds = Math.min(kRetrySecondsMax, 2 ** this.attempts++);
    for (; seconds > 0 && !this.abort.signal.aborted; --seconds) {
      this.tell({ connection: 'waiting', retrySeconds: seconds });
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    this.tell({ connection: 'connecting' });
  }

  // Drops the oldest rows over `limit`; gives how many.
  private cutPendingTo(limit: number): number {
    const surplus = Math.max(0, this.pending.length - limit);
    this.pending.splice(0, surplus);
    return surplus;
  }

  private tell(change: Partial<LiveState>): void {
    this.state = { ...this.state, ...change };
    if (!this.abort.signal.aborted) this.sink.onState(this.state);
  }
}
