// Sign-in by a pasted token; one-time codes in the address are used before this page is shown. The
// address a person wanted stays as it is meanwhile, so that signing in leads there.
import { useState } from 'preact/hooks';
import { t, type TextKey } from '../../i18n/i18n';
import { useServices } from '../../state/services';
import { useDocumentTitle } from '../../ui/hooks';
import { Icon, Logo } from '../../ui/icon';

type Why = '' | 'ended' | 'code' | 'token' | 'unreachable';

const kRefusals: Record<Exclude<Why, '' | 'ended'>, TextKey> = {
  code: 'sign_in.code_refused',
  token: 'sign_in.token_refused',
  unreachable: 'notice.unreachable',
};

interface TokenProps {
  token: string;
  refused: boolean;
  onInput: (token: string) => void;
}

function TokenField({ token, refused, onInput }: TokenProps) {
  const [shown, setShown] = useState(false);
  return (
    <div class="field">
      <label for="token">{t('sign_in.token')}</label>
      <div class="field-box">
        <input
          id="token"
          type={(shown ? 'text' : 'password') as 'password'}
          value={token}
          autoComplete="current-password"
          spellcheck={false}
          autoFocus
          aria-invalid={refused}
          aria-describedby="token-problem"
          onInput={(event) => onInput(event.currentTarget.value)}
        />
        <button
          type="button"
          class="icon-button"
          aria-pressed={shown}
          aria-label={t(shown ? 'sign_in.hide' : 'sign_in.show')}
          onClick={() => setShown(!shown)}
        >
          <Icon name="eye" />
        </button>
      </div>
    </div>
  );
}

export function SignInPage({ why }: { why: Why }) {
  const { signIn, prefs } = useServices();
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  useDocumentTitle(t('sign_in.title'));

  const onSubmit = async (event: Event) => {
    event.preventDefault();
    if (!token.trim() || busy) return;
    setBusy(true);
    await signIn.withToken(token.trim());
    setBusy(false);
  };
  const refused = why !== '' && why !== 'ended' && !busy;
  const other = prefs.get().language === 'zh' ? 'en' : 'zh';
  return (
    <main class="sign-in">
      <form class="card" onSubmit={onSubmit}>
        <Logo size={44} />
        <h1>{t('sign_in.title')}</h1>
        <p class="muted">{t(why === 'ended' ? 'sign_in.ended' : 'sign_in.lead')}</p>
        <TokenField token={token} refused={refused} onInput={setToken} />
        <p class="field-error" id="token-problem" role="alert">
          {refused && t(kRefusals[why])}
        </p>
        <button type="submit" class="button button-primary button-wide" disabled={busy}>
          {t(busy ? 'sign_in.busy' : 'sign_in.submit')}
        </button>
        <p class="hint">{t('sign_in.hint')}</p>
        <button
          type="button"
          class="link"
          lang={other}
          onClick={() => prefs.patch({ language: other })}
        >
          {t('app.language.next')}
        </button>
      </form>
    </main>
  );
}
