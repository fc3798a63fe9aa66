// A value that others can watch.
//
// Place:   every piece of state that outlives a component (preferences, route, search) is one.
// Owns:    nothing; watchers unsubscribe themselves.
// Errors:  a watcher that throws does not keep the others from hearing.
export class Value<T> {
  private current: T;
  private readonly watchers = new Set<(value: T) => void>();

  constructor(initial: T) {
    this.current = initial;
  }

  get(): T {
    return this.current;
  }

  // Does nothing when `next` is the same value.
  set(next: T): void {
    if (Object.is(next, this.current)) return;
    this.current = next;
    for (const watcher of [...this.watchers]) {
      try {
        watcher(next);
      } catch (error) {
        console.error(error);
      }
    }
  }

  // Copies the object with some members replaced.
  patch(part: Partial<T>): void {
    this.set({ ...this.current, ...part });
  }

  // Calls `watcher` on every change from now on. The result ends that.
  watch(watcher: (value: T) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }
}
