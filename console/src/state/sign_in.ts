// Who is there, and how they become known: by the session cookie of an earlier visit, by a one-time
// code in the address (#/sign-in?code=...), or by a token.
//
// Place:   one per page load; app.tsx starts it, the sign-in page hands it tokens.
// Errors:  a refusal is part of `state`; so is a server that cannot be reached.
import { ApiError, type ApiClient } from '../api/client';
import type { Session } from '../api/types';
import type { Router } from '../base/route';
import { Value } from '../base/value';

export type SignInState =
  | { at: 'asking' }
  | { at: 'unreachable' }
  // `why`: the session of this page ended, or what was offered was refused; empty on a first visit.
  | { at: 'out'; why: '' | 'ended' | 'code' | 'token' | 'unreachable' }
  | { at: 'in'; session: Session };

export class SignIn {
  readonly state = new Value<SignInState>({ at: 'asking' });
  private starting: Promise<void> | null = null;

  constructor(
    private readonly api: ApiClient,
    private readonly router: Router,
  ) {
    api.onSignedOut = () => {
      if (this.state.get().at === 'in') this.state.set({ at: 'out', why: 'ended' });
    };
  }

  // Uses the code in the address if there is one, then asks the server who we are. The code leaves the
  // address and the history before it is used. Calls that overlap share one start.
  start(): Promise<void> {
    this.starting ??= this.startOnce().finally(() => {
      this.starting = null;
    });
    return this.starting;
  }

  private async startOnce(): Promise<void> {
    const { page, params } = this.router.route.get();
    const code = page === 'sign-in' ? params.get('code') : null;
    let why: '' | 'code' = '';
    this.state.set({ at: 'asking' });
    if (page === 'sign-in') this.router.go('search', undefined, { replace: true });
    if (code && !(await this.offer({ code }))) why = 'code';
    await this.ask(why);
  }

  async withToken(token: string): Promise<void> {
    try {
      if (await this.offer({ token })) await this.ask('token');
      else this.state.set({ at: 'out', why: 'token' });
    } catch {
      this.state.set({ at: 'out', why: 'unreachable' });
    }
  }

  async leave(): Promise<void> {
    try {
      await this.api.signOut();
    } finally {
      this.state.set({ at: 'out', why: '' });
    }
  }

  // False when the server refuses it. A code that was used before may still have left us a session.
  private async offer(secret: { code: string } | { token: string }): Promise<boolean> {
    try {
      await this.api.signIn(secret);
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status >= 400 && error.status < 500) return false;
      if ('code' in secret) return false;
      throw error;
    }
  }

  private async ask(why: '' | 'code' | 'token'): Promise<void> {
    try {
      this.state.set({ at: 'in', session: await this.api.session() });
    } catch (error) {
      const unknown = error instanceof ApiError && error.status === 401;
      this.state.set(unknown ? { at: 'out', why } : { at: 'unreachable' });
    }
  }
}
