// An unfolded row: its whole body, and every field and resource tag with what can be done with it.
import { numberText } from '../../api/json';
import type { Json } from '../../api/types';
import { t } from '../../i18n/i18n';
import { hasAnsi, stripAnsi } from '../../model/ansi';
import { canName, exactTerm, presenceTerm } from '../../model/query_text';
import {
  bodyJson,
  hasOrigin,
  isRequestId,
  properties,
  type Property,
  type RowView,
} from '../../model/row';
import { copyText, useServices } from '../../state/services';
import { Icon, type IconName } from '../../ui/icon';
import { isTree, JsonTree } from './json_tree';
import { Marked } from './marked';
import type { RowActions } from './row_actions';

export type OnTerm = RowActions['onTerm'];

interface ActionProps {
  icon: IconName;
  label: string;
  pressed?: boolean;
  onClick: () => void;
}

function Action({ icon, label, pressed, onClick }: ActionProps) {
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      onClick={onClick}
    >
      <Icon name={icon} size={14} />
    </button>
  );
}

function kindOf(value: Json): string {
  if (value === null) return 'null';
  if (numberText(value) !== null) return 'number';
  return Array.isArray(value) ? 'object' : typeof value;
}

interface SharedProps {
  pattern: RegExp | null;
  columns: readonly string[];
  actions: RowActions;
}

function PropertyRow({
  property,
  pattern,
  columns,
  actions,
}: SharedProps & { property: Property }) {
  const { toaster } = useServices();
  const { name, value, text } = property;
  const exact = exactTerm(name, value);
  const present = canName(name) ? presenceTerm(name) : null;
  const { onTerm } = actions;
  const pinned = columns.includes(name);
  return (
    <div class="property">
      <dt>{name}</dt>
      <dd class={`value value-${kindOf(value)}`}>
        {isTree(value) ? (
          <JsonTree name="" value={value} path={name} depth={1} pattern={pattern} onTerm={onTerm} />
        ) : (
          <Marked text={text} pattern={pattern} />
        )}
      </dd>
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
          icon="pin"
          pressed={pinned}
          label={t(pinned ? 'row.unpin' : 'row.pin', { name })}
          onClick={() => actions.onPin(name)}
        />
        <Action
          icon="copy"
          label={t('row.copy_value', { name })}
          onClick={() => void copyText(text, toaster)}
        />
      </dd>
    </div>
  );
}

interface SectionProps extends SharedProps {
  title: string;
  none: string;
  values: Record<string, Json>;
}

function Section({ title, none, values, ...shared }: SectionProps) {
  const all = properties(values);
  return (
    <section>
      <h2>{title}</h2>
      {all.length === 0 ? (
        <p class="hint">{none}</p>
      ) : (
        <dl>
          {all.map((property) => (
            <PropertyRow key={property.name} property={property} {...shared} />
          ))}
        </dl>
      )}
    </section>
  );
}

function Body({ body, pattern, onTerm }: { body: string; pattern: RegExp | null; onTerm: OnTerm }) {
  const tree = bodyJson(hasAnsi(body) ? stripAnsi(body) : body);
  if (tree !== null && isTree(tree)) {
    return (
      <div class="body body-tree" aria-label={t('row.body')}>
        <JsonTree name="" value={tree} path={null} depth={0} pattern={pattern} onTerm={onTerm} />
      </div>
    );
  }
  return (
    <pre class="body" aria-label={t('row.body')}>
      <Marked text={body} pattern={pattern} />
    </pre>
  );
}

interface BarButtonProps {
  icon: IconName;
  text: string;
  onClick: () => void;
}

function BarButton({ icon, text, onClick }: BarButtonProps) {
  return (
    <button type="button" class="button button-small" onClick={onClick}>
      <Icon name={icon} size={14} />
      {text}
    </button>
  );
}

function Bar({ view, actions }: { view: RowView; actions: RowActions }) {
  const { toaster } = useServices();
  const { row, ms } = view;
  const ids = Object.entries(row.fields).filter(
    ([name, value]) => isRequestId(name) && exactTerm(name, value),
  );
  return (
    <div class="details-bar">
      <code class="details-time" title={t('row.time')}>
        {row.time}
      </code>
      {row.logstore && <span class="tag">{row.logstore}</span>}
      <span class="grow" />
      {hasOrigin(row) && (
        <BarButton icon="around" text={t('row.context')} onClick={() => actions.onContext(row)} />
      )}
      {ids.map(([name, value]) => (
        <BarButton
          key={name}
          icon="search"
          text={t('row.same', { name })}
          onClick={() => actions.onSame(name, value, ms)}
        />
      ))}
      <BarButton icon="clock" text={t('row.around')} onClick={() => actions.onAround(ms)} />
      {row.body !== '' && (
        <BarButton
          icon="copy"
          text={t('row.copy_body')}
          onClick={() => void copyText(row.body, toaster)}
        />
      )}
      <BarButton
        icon="copy"
        text={t('row.copy_json')}
        onClick={() => void copyText(JSON.stringify(row, null, 2), toaster)}
      />
    </div>
  );
}

export function RowDetails({ view, ...shared }: SharedProps & { view: RowView }) {
  const { row } = view;
  return (
    <div class="details">
      <Bar view={view} actions={shared.actions} />
      {row.body !== '' && (
        <Body body={row.body} pattern={shared.pattern} onTerm={shared.actions.onTerm} />
      )}
      <div class="details-columns">
        <Section
          title={t('row.fields')}
          none={t('row.no_fields')}
          values={row.fields}
          {...shared}
        />
        <Section
          title={t('row.resource')}
          none={t('row.no_resource')}
          values={row.resource}
          {...shared}
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
