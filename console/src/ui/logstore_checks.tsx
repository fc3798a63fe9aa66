// Chooses some of the logstores of a project.
import { t } from '../i18n/i18n';

interface Props {
  names: readonly string[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
}

export function LogstoreChecks({ names, chosen, onChange }: Props) {
  // One that is gone stays in the list, to be seen and left out.
  const all = [...names, ...chosen.filter((name) => !names.includes(name))];
  const toggle = (name: string) =>
    onChange(chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name]);
  return (
    <fieldset class="checks">
      <legend>{t('page.logstores')}</legend>
      {all.map((name) => (
        <label key={name} class="check">
          <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} />
          {name}
        </label>
      ))}
    </fieldset>
  );
}
