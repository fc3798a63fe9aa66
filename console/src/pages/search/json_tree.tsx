// A JSON value as a tree that folds; the browser's own details element brings the keyboard. Leaves narrow the
// search by their path where the language can name it.
import { numberText } from '../../api/json';
import type { Json } from '../../api/types';
import { t } from '../../i18n/i18n';
import { exactTerm } from '../../model/query_text';
import { Icon } from '../../ui/icon';
import { Marked } from './marked';
import type { OnTerm } from './row_details';

interface Props {
  name: string;
  value: Json;
  // Field and dots down to this value; null where it has no name, below an array.
  path: string | null;
  depth: number;
  pattern: RegExp | null;
  onTerm: OnTerm;
}

// Deeper levels start folded.
const kOpenDepth = 2;
// So many members are drawn of one object; there are fields of thousands.
const kMembersMax = 200;

export function isTree(value: Json): value is Json[] | { [key: string]: Json } {
  return typeof value === 'object' && value !== null && numberText(value) === null;
}

function Leaf({ name, value, path, pattern, onTerm }: Props) {
  const text = numberText(value) ?? (typeof value === 'string' ? value : String(value));
  const kind = value === null ? 'null' : numberText(value) !== null ? 'number' : typeof value;
  const term = path === null || value === null ? null : exactTerm(path, value);
  return (
    <div class="leaf">
      {name !== '' && <span class="tree-key">{name}: </span>}
      <span class={`value-${kind}`}>
        <Marked text={text} pattern={pattern} />
      </span>
      {term && path && (
        <span class="leaf-actions">
          <button
            type="button"
            class="icon-button"
            aria-label={t('row.include', { name: path })}
            title={t('row.include', { name: path })}
            onClick={() => onTerm(term, 'include')}
          >
            <Icon name="plus" size={12} />
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label={t('row.exclude', { name: path })}
            title={t('row.exclude', { name: path })}
            onClick={() => onTerm(term, 'exclude')}
          >
            <Icon name="minus" size={12} />
          </button>
        </span>
      )}
    </div>
  );
}

export function JsonTree(props: Props) {
  const { name, value, path, depth } = props;
  if (!isTree(value)) return <Leaf {...props} />;
  const isList = Array.isArray(value);
  const members: Array<[string, Json]> = isList
    ? value.map((each, index) => [String(index), each])
    : Object.entries(value);
  const [left, right] = isList ? ['[', ']'] : ['{', '}'];
  if (members.length === 0) {
    return (
      <div class="leaf">
        {name !== '' && <span class="tree-key">{name}: </span>}
        {left}
        {right}
      </div>
    );
  }
  return (
    <details class="tree" open={depth < kOpenDepth}>
      <summary>
        {name !== '' && <span class="tree-key">{name}: </span>}
        <span class="muted">
          {left} {members.length} {right}
        </span>
      </summary>
      {members.slice(0, kMembersMax).map(([key, each]) => (
        <JsonTree
          {...props}
          key={key}
          name={key}
          value={each}
          // Elements of a list are asked for by the name of the list.
          path={path === null ? null : isList ? path : `${path}${path ? '.' : ''}${key}`}
          depth={depth + 1}
        />
      ))}
      {members.length > kMembersMax && (
        <p class="hint">{t('row.members_left_out', { n: members.length - kMembersMax })}</p>
      )}
    </details>
  );
}
