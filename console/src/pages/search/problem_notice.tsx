// A failed search in words: what happened and what to do.
import type { ApiError } from '../../api/client';
import { t } from '../../i18n/i18n';
import { Notice } from '../../ui/notice';

interface Props {
  problem: ApiError;
  logstore: string;
  project: string;
  onRetry: () => void;
}

const kRetrySecondsDefault = 1;

function wording({ problem, project, logstore }: Props): { title: string; text: string } {
  const { status, message } = problem;
  if (status === 0) return { title: t('notice.unreachable'), text: t('notice.unreachable_text') };
  if (status === 429 || status === 503) {
    const n = problem.retryAfterSeconds ?? kRetrySecondsDefault;
    return { title: t('notice.overload'), text: t('notice.overload_text', { message, n }) };
  }
  if (status === 504) return { title: t('notice.limit'), text: `${message} ${t('notice.limit_text')}` };
  if (status === 403) return { title: t('notice.forbidden'), text: message };
  if (status === 404) {
    return { title: t('store.gone.title'), text: t('store.gone.text', { project, logstore }) };
  }
  if (status === 400) return { title: t('notice.invalid'), text: message };
  return { title: t('notice.failed'), text: message };
}

export function ProblemNotice(props: Props) {
  const { title, text } = wording(props);
  const fixable = props.problem.status !== 400 && props.problem.status !== 404;
  const action = fixable ? { text: t('app.retry'), run: props.onRetry } : undefined;
  return (
    <Notice kind="error" title={title} {...(action ? { action } : {})}>
      {text}
    </Notice>
  );
}
