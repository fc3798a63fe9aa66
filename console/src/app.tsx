// The console's frame: finds out who is there, then shows the page that the address names.
import { Component, type ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { loadTexts, t } from './i18n/i18n';
import { pageFor } from './pages/pages';
import { SignInPage } from './pages/sign_in/sign_in_page';
import { useServices } from './state/services';
import { useValue } from './ui/hooks';
import { Notice } from './ui/notice';
import { Toast } from './ui/toast';

function Content() {
  const { signIn, router } = useServices();
  const who = useValue(signIn.state);
  const route = useValue(router.route);
  const hasCode = route.page === 'sign-in';

  useEffect(() => {
    if (who.at === 'asking' || hasCode) void signIn.start();
  }, [hasCode]);

  if (who.at === 'unreachable') {
    const action = { text: t('app.retry'), run: () => void signIn.start() };
    return (
      <main class="lone">
        <Notice kind="error" title={t('notice.unreachable')} action={action}>
          {t('notice.unreachable_text')}
        </Notice>
      </main>
    );
  }
  if (who.at === 'out') return <SignInPage why={who.why} />;
  if (who.at === 'asking') return <main class="lone muted">{t('app.loading')}</main>;
  const { id, view: Page } = pageFor(route.page);
  return <Page key={id} />;
}

// An error of our own while drawing: said with its message, instead of an empty or frozen page.
class Boundary extends Component<{ children: ComponentChildren }, { message: string }> {
  static override getDerivedStateFromError(error: unknown) {
    return { message: String(error) };
  }
  override render() {
    const message = this.state.message;
    if (!message) return this.props.children;
    return (
      <main class="lone">
        <Notice
          kind="error"
          title={t('app.broken')}
          action={{ text: t('app.reload'), run: () => location.reload() }}
        >
          {message}
        </Notice>
      </main>
    );
  }
}

export function App() {
  const { prefs, toaster } = useServices();
  const { language } = useValue(prefs);
  // The language that is drawn: the chosen one once its texts are here.
  const [shown, setShown] = useState(language);
  useEffect(() => {
    if (language === shown) return;
    loadTexts(language).then(
      () => setShown(language),
      (error: unknown) => toaster.show(String(error)),
    );
  }, [language]);
  useEffect(() => {
    document.documentElement.lang = shown === 'zh' ? 'zh-CN' : 'en';
  }, [shown]);
  // A new key draws everything again in the new language.
  return (
    <div class="app" key={shown}>
      <Boundary>
        <Content />
      </Boundary>
      <Toast toaster={toaster} />
    </div>
  );
}
