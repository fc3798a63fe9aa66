// The bar between histogram and results: fields, rows or patterns, and what can be done with all of them.
import { t } from '../../i18n/i18n';
import type { View } from '../../model/view';
import { useServices } from '../../state/services';
import { useValue } from '../../ui/hooks';
import { Icon } from '../../ui/icon';
import { lazy } from '../../ui/lazy';
import { Popover } from '../../ui/popover';
import type { ExportPanelProps } from './export/export_panel';
import type { LibraryProps } from './library/library';
import type { SearchState } from './search_session';

const Library = lazy<LibraryProps>(async () => (await import('./parts')).Library);
const ExportPanel = lazy<ExportPanelProps>(async () => (await import('./parts')).ExportPanel);

interface Props {
  state: SearchState;
  view: View;
  isStatement: boolean;
  onView: (change: Partial<View>) => void;
}

function Tabs({ view, onView }: Pick<Props, 'view' | 'onView'>) {
  return (
    <div class="tabs" role="tablist" aria-label={t('tab.label')}>
      {(['rows', 'patterns'] as const).map((tab) => (
        <button
          key={tab}
          type="button"
          role="tab"
          id={`tab-${tab}`}
          aria-selected={view.tab === tab}
          disabled={view.live && tab === 'patterns'}
          onClick={() => onView({ tab })}
        >
          {t(`tab.${tab}`)}
        </button>
      ))}
    </div>
  );
}

export function ResultBar({ state, view, isStatement, onView }: Props) {
  const { prefs } = useServices();
  const { wrap, fields } = useValue(prefs);
  const showsRows = !isStatement && (view.tab === 'rows' || view.live);
  return (
    <div class="result-bar">
      {!isStatement && (
        <button
          type="button"
          class="button button-small"
          id="fields-button"
          aria-pressed={fields}
          title={t(fields ? 'fields.hide' : 'fields.show')}
          onClick={() => prefs.patch({ fields: !fields })}
        >
          <Icon name="fields" size={14} />
          <span>{t('fields.title')}</span>
        </button>
      )}
      {!isStatement && <Tabs view={view} onView={onView} />}
      <span class="grow" />
      {showsRows && (
        <label class="check">
          <input
            type="checkbox"
            checked={wrap}
            onChange={(event) => prefs.patch({ wrap: event.currentTarget.checked })}
          />
          {t('rows.wrap')}
        </label>
      )}
      <Popover
        label={t('library.title')}
        buttonClass="button button-small"
        panelClass="panel-library"
        align="end"
        id="library-button"
        face={
          <>
            <Icon name="star" size={14} />
            <span>{t('library.button')}</span>
          </>
        }
      >
        {(close) => (
          <Library
            view={view}
            onOpen={(next) => {
              close();
              onView(next);
            }}
          />
        )}
      </Popover>
      {state.window && (
        <Popover
          label={t('export.title')}
          buttonClass="button button-small"
          panelClass="panel-export"
          align="end"
          id="export-button"
          face={
            <>
              <Icon name="download" size={14} />
              <span>{t('export.button')}</span>
            </>
          }
        >
          {() => <ExportPanel view={view} window={state.window!} />}
        </Popover>
      )}
    </div>
  );
}
