// The bar on top of every page: mark, navigation, settings.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Language, Theme } from '../base/prefs';
import { t } from '../i18n/i18n';
import type { Zone } from '../model/time';
import { useServices } from '../state/services';
import { isTyping, useValue } from './hooks';
import { Icon, Logo } from './icon';
import { KeyHelp } from './key_help';
import { kNav, type NavEntry, type PageId } from './nav';
import { Popover } from './popover';
import { Segmented } from './segmented';

// The choices that this browser remembers; the settings page shows them too.
export function Preferences() {
  const { prefs } = useServices();
  const { theme, language, zone } = useValue(prefs);
  return (
    <>
      <h2>{t('app.theme')}</h2>
      <Segmented<Theme>
        label={t('app.theme')}
        value={theme}
        options={[
          ['system', t('app.theme.system')],
          ['light', t('app.theme.light')],
          ['dark', t('app.theme.dark')],
        ]}
        onChange={(next) => prefs.patch({ theme: next })}
      />
      <h2>{t('app.zone')}</h2>
      <Segmented<Zone>
        label={t('app.zone')}
        value={zone}
        options={[
          ['local', t('app.zone.local')],
          ['utc', t('app.zone.utc')],
        ]}
        onChange={(next) => prefs.patch({ zone: next })}
      />
      <h2>{t('app.language.label')}</h2>
      <Segmented<Language>
        label={t('app.language.label')}
        value={language}
        options={[
          ['en', 'English'],
          ['zh', '中文'],
        ]}
        onChange={(next) => prefs.patch({ language: next })}
      />
    </>
  );
}

function Settings({ onKeys }: { onKeys: () => void }) {
  const { signIn } = useServices();
  const who = useValue(signIn.state);
  return (
    <div class="settings">
      <Preferences />
      <hr />
      <button type="button" class="menu-item" onClick={onKeys}>
        <Icon name="help" />
        {t('app.keys')}
        <kbd>?</kbd>
      </button>
      <button type="button" class="menu-item" onClick={() => void signIn.leave()}>
        <Icon name="leave" />
        {t('app.sign_out')}
      </button>
      {who.at === 'in' && (
        <p class="hint">
          {t('app.role', { role: who.session.role })} ·{' '}
          {t('app.version', { version: who.session.version })}
        </p>
      )}
    </div>
  );
}

function entries(role: string): readonly NavEntry[] {
  return (kNav as readonly NavEntry[]).filter(({ admin }) => !admin || role === 'admin');
}

function NavLinks({ current, role, onGo }: { current: string; role: string; onGo?: () => void }) {
  return (
    <>
      {entries(role).map(({ id, title, icon }) => (
        <a
          key={id}
          href={`#/${id}`}
          aria-current={id === current ? 'page' : undefined}
          onClick={() => onGo?.()}
        >
          <Icon name={icon} />
          <span>{t(title)}</span>
        </a>
      ))}
    </>
  );
}

interface Props {
  current: PageId;
  children: ComponentChildren;
}

export function Shell({ current, children }: Props) {
  const { signIn, router } = useServices();
  const who = useValue(signIn.state);
  const role = who.at === 'in' ? who.session.role : '';
  const [keys, setKeys] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector('dialog[open]')) return;
      const page = /^[1-9]$/.test(event.key) ? entries(role)[Number(event.key) - 1] : undefined;
      if (event.key === '?') setKeys(true);
      else if (page) router.go(page.id);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [role]);
  return (
    <>
      <a class="skip" href="#content" onClick={skipToContent}>
        {t('app.skip')}
      </a>
      <header class="top">
        <a class="brand" href={`#/${kNav[0].id}`} aria-label={t('app.name')}>
          <Logo />
          <span>{t('app.name')}</span>
        </a>
        <nav class="nav-wide" aria-label={t('app.pages')}>
          <NavLinks current={current} role={role} />
        </nav>
        <div class="nav-narrow">
          <Popover
            label={t('app.pages')}
            face={
              <>
                <Icon name="menu" size={18} />
                <span>{t(kNav.find(({ id }) => id === current)!.title)}</span>
              </>
            }
            buttonClass="button"
            id="nav-button"
          >
            {(close) => (
              <nav class="nav-list" aria-label={t('app.pages')}>
                <NavLinks current={current} role={role} onGo={close} />
              </nav>
            )}
          </Popover>
        </div>
        <span class="grow" />
        <Popover
          label={t('app.menu')}
          face={<Icon name="settings" size={18} />}
          buttonClass="icon-button"
          align="end"
          id="settings-button"
        >
          {(close) => (
            <Settings
              onKeys={() => {
                close();
                setKeys(true);
              }}
            />
          )}
        </Popover>
      </header>
      {children}
      {keys && <KeyHelp onClose={() => setKeys(false)} />}
    </>
  );
}

// The address belongs to the router, so the jump is made by hand.
function skipToContent(event: Event): void {
  event.preventDefault();
  (document.querySelector<HTMLElement>('#rows') ?? document.querySelector('main'))?.focus();
}
