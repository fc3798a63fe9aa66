// The bar on top of every page: mark, navigation, what the page puts there, settings.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Language, Theme } from '../base/prefs';
import { t } from '../i18n/i18n';
import type { Zone } from '../model/time';
import { useServices } from '../state/services';
import { isTyping, useValue } from './hooks';
import { Icon, Logo } from './icon';
import { KeyHelp } from './key_help';
import { Popover } from './popover';
import { Segmented } from './segmented';

interface Entry {
  id: string;
  text: string;
}

function Settings({ onKeys }: { onKeys: () => void }) {
  const { prefs, signIn } = useServices();
  const { theme, language, zone } = useValue(prefs);
  const who = useValue(signIn.state);
  return (
    <div class="settings">
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
          {t('app.role', { role: who.session.role })} · {t('app.version', { version: who.session.version })}
        </p>
      )}
    </div>
  );
}

interface Props {
  pages: readonly Entry[];
  current: string;
  bar: ComponentChildren;
  children: ComponentChildren;
}

export function Shell({ pages, current, bar, children }: Props) {
  const [keys, setKeys] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === '?' && !isTyping(event.target)) setKeys(true);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return (
    <>
      <a class="skip" href="#content" onClick={skipToContent}>
        {t('app.skip')}
      </a>
      <header class="top">
        <a class="brand" href={`#/${pages[0]!.id}`} aria-label={t('app.name')}>
          <Logo />
          <span>{t('app.name')}</span>
        </a>
        {pages.length > 1 && (
          <nav>
            {pages.map(({ id, text }) => (
              <a key={id} href={`#/${id}`} aria-current={id === current ? 'page' : undefined}>
                {text}
              </a>
            ))}
          </nav>
        )}
        {bar}
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
