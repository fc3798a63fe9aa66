// A component whose code is loaded when it is first drawn.
//
//   const Charts = lazy(async () => (await import('./charts')).Charts);
//
// Errors:  code that cannot be loaded (the server was replaced meanwhile, or is gone) is said, with a button
//          that loads the page again.
import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { t } from '../i18n/i18n';
import { Notice } from './notice';

export function lazy<P extends object>(
  load: () => Promise<FunctionComponent<P>>,
): FunctionComponent<P> {
  let loaded: FunctionComponent<P> | null = null;
  return function Lazy(props: P) {
    const [failed, setFailed] = useState(false);
    const [, redraw] = useState(0);
    useEffect(() => {
      if (loaded) return undefined;
      let gone = false;
      load().then(
        (component) => {
          loaded = component;
          if (!gone) redraw((n) => n + 1);
        },
        () => !gone && setFailed(true),
      );
      return () => {
        gone = true;
      };
    }, []);
    if (failed) {
      const action = { text: t('app.reload'), run: () => location.reload() };
      return <Notice kind="error" title={t('app.chunk_missing')} action={action} />;
    }
    if (!loaded) return <div class="loading" aria-busy="true" />;
    const Loaded = loaded;
    return <Loaded {...props} />;
  };
}
