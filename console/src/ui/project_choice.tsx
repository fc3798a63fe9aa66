// Chooses the project of a page where there is more than one; the address keeps it.
import { t } from '../i18n/i18n';
import { useServices } from '../state/services';
import type { PageId } from './nav';

export function ProjectChoice({
  page,
  project,
  projects,
}: {
  page: PageId;
  project: string;
  projects: string[];
}) {
  const { router } = useServices();
  if (projects.length < 2) return null;
  return (
    <select
      class="input project-choice"
      aria-label={t('app.project')}
      value={project}
      onChange={(event) =>
        router.go(page, new URLSearchParams({ project: event.currentTarget.value }))
      }
    >
      {projects.map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}
