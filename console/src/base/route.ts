// Where the console is: the part of the address after `#`, as a page name and parameters.
//
//   #/search?project=default&logstore=system&q=level%3Aerror&from=-1h
//
// The server never sees it, so one-time codes and queries stay out of access logs.
import { Value } from './value';

export interface Route {
  page: string;
  params: URLSearchParams;
}

export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#?\/?/, '');
  const mark = text.indexOf('?');
  const page = mark < 0 ? text : text.slice(0, mark);
  return { page, params: new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1)) };
}

export function routeText(page: string, params?: URLSearchParams): string {
  const query = params?.toString() ?? '';
  return `#/${page}${query ? `?${query}` : ''}`;
}

// The address bar as a Value. `go` adds a step to the history unless it is told to replace the last.
export class Router {
  readonly route = new Value<Route>(parseRoute(location.hash));

  constructor() {
    window.addEventListener('popstate', () => this.route.set(parseRoute(location.hash)));
    window.addEventListener('hashchange', () => this.readAddress());
  }

  go(page: string, params?: URLSearchParams, how: { replace?: boolean } = {}): void {
    const target = routeText(page, params);
    if (target === location.hash) return;
    if (how.replace) history.replaceState(null, '', target);
    else history.pushState(null, '', target);
    this.route.set(parseRoute(target));
  }

  private readAddress(): void {
    const shown = this.route.get();
    if (routeText(shown.page, shown.params) === location.hash) return;
    this.route.set(parseRoute(location.hash));
  }
}
