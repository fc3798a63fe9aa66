// What this browser remembers, who is signed in, and the keyboard.
import { t } from '../../i18n/i18n';
import { useServices } from '../../state/services';
import { useValue } from '../../ui/hooks';
import { Icon } from '../../ui/icon';
import { KeyList } from '../../ui/key_help';
import { Page } from '../../ui/page';
import { Preferences } from '../../ui/shell';

export function SettingsPage() {
  const { signIn } = useServices();
  const who = useValue(signIn.state);
  return (
    <Page page="settings" lead={t('settings.lead')}>
      <div class="cards">
        <section class="box">
          <h2 class="box-title">{t('settings.looks')}</h2>
          <div class="settings">
            <Preferences />
          </div>
        </section>
        <section class="box">
          <h2 class="box-title">{t('settings.session')}</h2>
          {who.at === 'in' && (
            <dl class="facts">
              <div>
                <dt>{t('settings.role')}</dt>
                <dd>{who.session.role}</dd>
              </div>
              <div>
                <dt>{t('settings.version')}</dt>
                <dd>{who.session.version}</dd>
              </div>
              <div>
                <dt>{t('settings.api')}</dt>
                <dd>
                  <a href="api/v1/openapi.json">openapi.json</a>
                </dd>
              </div>
            </dl>
          )}
          <button type="button" class="button" onClick={() => void signIn.leave()}>
            <Icon name="leave" />
            {t('app.sign_out')}
          </button>
        </section>
        <section class="box">
          <h2 class="box-title">{t('app.keys')}</h2>
          <KeyList />
        </section>
      </div>
    </Page>
  );
}
