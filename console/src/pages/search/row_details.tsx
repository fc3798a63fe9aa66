// An unfolded row: its whole body, and every field and resource tag with what can be done with it.
import { numberText } from '../../api/json';
import type { Json } from '../../api/types';
import { t } from '../../i18n/i18n';
import { canName, exactTerm, presenceTerm } from '../../model/query_text';
import { hasOrigin, prettyJson, properties, type Property, type RowView } from '../../model/row';
import { copyText, useServices } from '../../state/services';
import { Icon, type IconName } from '../../ui/icon';
import { Marked } from './marked';

export type OnTerm = (term: string, how: 'include' | 'exclude') => void;

interface ActionProps {
  icon: IconName;
  label: string;
  onClick: () => void;
}

function Action({ icon, label, onClick }: ActionProps) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} size={14} />
    </button>
  );
}

function kindOf(value: Json): string {
  if (value === null) return 'null';
  if (numberText(value) !== null) return 'number';
  return Array.isArray(value) ? 'object' : typeof value;
}

function PropertyRow({ property, onTerm }: { property: Property; onTerm: OnTerm }) {
  const { toaster } = useServices();
  const { name, value, text } = property;
  const exact = exactTerm(name, value);
  const present = canName(name) ? presenceTerm(name) : null;
  return (
    <div class="property">
      <dt>{name}</dt>
      <dd class={`value value-${kindOf(value)}`}>{text}</dd>
      <dd class="property-actions">
        {exact && (
          <Action
            icon="plus"
            label={t('row.include', { name })}
            onClick={() => onTerm(exact, 'include')}
          />
        )}
        {exact && (
          <Action
            icon="minus"
            label={t('row.exclude', { name })}
            onClick={() => onTerm(exact, 'exclude')}
          />
        )}
        {present && (
          <Action
            icon="exists"
            label={t('row.present', { name })}
            onClick={() => onTerm(present, 'include')}
          />
        )}
        <Action
          icon="copy"
          label={t('row.copy_value', { name })}
          onClick={() => void copyText(text, toaster)}
        />
      </dd>
    </div>
  );
}

interface SectionProps {
  title: string;
  none: string;
  values: Record<string, Json>;
  onTerm: OnTerm;
}

function Section({ title, none, values, onTerm }: SectionProps) {
  const all = properties(values);
  return (
    <section>
      <h2>{title}</h2>
      {all.length === 0 ? (
        <p class="hint">{none}</p>
      ) : (
        <dl>
          {all.map((property) => (
            <PropertyRow key={property.name} property={property} onTerm={onTerm} />
          ))}
        </dl>
      )}
    </section>
  );
}

interface Props {
  view: RowView;
  pattern: RegExp | null;
  onTerm: OnTerm;
  onAround: (ms: number) => void;
}

export function RowDetails({ view, pattern, onTerm, onAround }: Props) {
  const { toaster } = useServices();
  const { row } = view;
  return (
    <div class="details">
      <div class="details-bar">
        <code class="details-time" title={t('row.time')}>
          {row.time}
        </code>
        <span class="grow" />
        <button type="button" class="button button-small" onClick={() => onAround(view.ms)}>
          <Icon name="around" size={14} />
          {t('row.around')}
        </button>
        {row.body !== '' && (
          <button
            type="button"
            class="button button-small"
            onClick={() => void copyText(row.body, toaster)}
          >
            <Icon name="copy" size={14} />
            {t('row.copy_body')}
          </button>
        )}
        <button
          type="button"
          class="button button-small"
          onClick={() => void copyText(JSON.stringify(row, null, 2), toaster)}
        >
          <Icon name="copy" size={14} />
          {t('row.copy_json')}
        </button>
      </div>
      {row.body !== '' && (
        <pre class="body" aria-label={t('row.body')}>
          <Marked text={prettyJson(row.body) ?? row.body} pattern={pattern} />
        </pre>
      )}
      <div class="details-columns">
        <Section
          title={t('row.fields')}
          none={t('row.no_fields')}
          values={row.fields}
          onTerm={onTerm}
        />
        <Section
          title={t('row.resource')}
          none={t('row.no_resource')}
          values={row.resource}
          onTerm={onTerm}
        />
      </div>
      {hasOrigin(row) && (
        <p class="hint origin">
          {t('row.origin')} <code>{row.origin.id}</code> · {t('row.offset')}{' '}
          <code>{row.origin.offset}</code>
        </p>
      )}
    </div>
  );
}
