// The list of keyboard shortcuts.
import { t, type TextKey } from '../i18n/i18n';
import { Dialog } from './dialog';

const kKeys: ReadonlyArray<readonly [readonly string[], TextKey]> = [
  [['/'], 'keys.search'],
  [['Enter'], 'keys.run'],
  [['↓', 'Tab'], 'keys.complete'],
  [['r'], 'keys.rerun'],
  [['t'], 'keys.range'],
  [['j', 'k'], 'keys.move'],
  [['Enter', 'o'], 'keys.unfold'],
  [['g', 'G'], 'keys.ends'],
  [['w'], 'keys.wrap'],
  [['f'], 'keys.fields'],
  [['m'], 'keys.patterns'],
  [['l'], 'keys.live'],
  [['p'], 'keys.pause'],
  [['c'], 'keys.clear'],
  [['s'], 'keys.library'],
  [['e'], 'keys.export'],
  [['1', '…'], 'keys.pages'],
  [['Esc'], 'keys.escape'],
  [['?'], 'keys.help'],
];

export function KeyList() {
  return (
    <dl class="keys">
      {kKeys.map(([keys, text]) => (
        <div key={text}>
          <dt>
            {keys.map((key) => (
              <kbd key={key}>{key}</kbd>
            ))}
          </dt>
          <dd>{t(text)}</dd>
        </div>
      ))}
    </dl>
  );
}

export function KeyHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t('app.keys')} onClose={onClose}>
      <KeyList />
    </Dialog>
  );
}
