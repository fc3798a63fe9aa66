// Why a page has nothing to show yet: it loads, the server refused, or does not know the call.
import type { ApiError } from '../api/client';
import { t } from '../i18n/i18n';
import { Notice } from './notice';

interface Props {
  loaded: { value: unknown; problem: ApiError | null; loading: boolean; again: () => void };
}

export function StateNotice({ loaded }: Props) {
  const { value, problem, loading, again } = loaded;
  if (problem) {
    const title =
      problem.status === 0
        ? t('notice.unreachable')
        : problem.status === 403
          ? t('app.forbidden')
          : problem.status === 404 || problem.status === 405
            ? t('app.not_known')
            : t('app.load_failed');
    return (
      <Notice kind="error" title={title} action={{ text: t('app.retry'), run: again }}>
        {problem.message}
      </Notice>
    );
  }
  if (value === null && loading) return <p class="waiting">{t('app.loading')}</p>;
  return null;
}
