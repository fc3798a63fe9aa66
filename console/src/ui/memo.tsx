// A component that draws again only when a property is another value than before.
import { Component, type ComponentChildren, type ComponentClass } from 'preact';

export function memo<P extends object>(
  draw: (props: P) => ComponentChildren,
): ComponentClass<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const now = this.props as Record<string, unknown>;
      const then = next as Record<string, unknown>;
      return [...Object.keys(then), ...Object.keys(now)].some((key) => now[key] !== then[key]);
    }
    override render() {
      return draw(this.props as P);
    }
  };
}
