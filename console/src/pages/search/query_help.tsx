// The search language on one card.
import { t, type TextKey } from '../../i18n/i18n';
import { Icon } from '../../ui/icon';
import { Popover } from '../../ui/popover';

const kExamples: ReadonlyArray<readonly [string, TextKey]> = [
  ['timeout upstream', 'help.words'],
  ['"connection refused"', 'help.phrase'],
  ['time*', 'help.prefix'],
  ['level:error', 'help.field'],
  ['status:=503', 'help.exact'],
  ['trace_id:*', 'help.presence'],
  ['duration_ms:>250', 'help.compare'],
  ['status:[500 TO 599]', 'help.range'],
  ['/GET \\/api\\/v\\d+/', 'help.regex'],
  ['(error OR warn) NOT probe', 'help.logic'],
  ['pod.name:web*', 'help.pod'],
];

export function Examples() {
  return (
    <dl class="examples">
      {kExamples.map(([query, text]) => (
        <div key={query}>
          <dt>
            <code>{query}</code>
          </dt>
          <dd>{t(text)}</dd>
        </div>
      ))}
    </dl>
  );
}

export function QueryHelp() {
  return (
    <Popover
      label={t('query.help')}
      face={<Icon name="help" />}
      buttonClass="icon-button"
      panelClass="panel-help"
      align="end"
    >
      {() => <Examples />}
    </Popover>
  );
}
