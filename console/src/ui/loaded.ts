// What a page shows of the server, and the calls that change it.
import { useEffect, useState } from 'preact/hooks';
import { ApiError, isAbort } from '../api/client';
import { useServices } from '../state/services';
import { useStable } from './hooks';

export interface Loaded<T> {
  value: T | null;
  problem: ApiError | null;
  loading: boolean;
  again: () => void;
}

// Loads when the page opens, when `keys` change, and every `everyMillis` while the page is in sight. What was
// there stays while the next is on its way.
export function useLoaded<T>(
  load: () => Promise<T>,
  keys: readonly unknown[] = [],
  everyMillis = 0,
): Loaded<T> {
  const [state, setState] = useState<Omit<Loaded<T>, 'again'>>({
    value: null,
    problem: null,
    loading: true,
  });
  const [round, setRound] = useState(0);
  useEffect(() => {
    let gone = false;
    setState((before) => ({ ...before, loading: true }));
    load().then(
      (value) => !gone && setState({ value, problem: null, loading: false }),
      (error: unknown) => {
        if (gone || isAbort(error)) return;
        if (!(error instanceof ApiError)) throw error;
        setState((before) => ({ ...before, problem: error, loading: false }));
      },
    );
    return () => {
      gone = true;
    };
  }, [...keys, round]);
  const again = useStable(() => setRound((n) => n + 1));
  useEffect(() => {
    if (everyMillis <= 0) return undefined;
    const timer = setInterval(() => !document.hidden && again(), everyMillis);
    return () => clearInterval(timer);
  }, [everyMillis]);
  return { ...state, again };
}

// Runs a call that changes something; true when it worked. What goes wrong is said at the bottom of the page.
export function useAttempt(): (call: () => Promise<unknown>, done?: string) => Promise<boolean> {
  const { toaster } = useServices();
  return useStable(async (call: () => Promise<unknown>, done?: string) => {
    try {
      await call();
      if (done) toaster.show(done);
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toaster.showProblem(error.message);
      return false;
    }
  });
}

export function useIsAdmin(): boolean {
  const { signIn } = useServices();
  const who = signIn.state.get();
  return who.at === 'in' && who.session.role === 'admin';
}
