// Small hooks that several components share.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { RefObject } from 'preact';
import type { Value } from '../base/value';

// The current content of a Value; draws again when it changes.
export function useValue<T>(value: Value<T>): T {
  const [, redraw] = useState(0);
  const content = value.get();
  useLayoutEffect(() => {
    // It may have changed between drawing and watching.
    if (!Object.is(value.get(), content)) redraw((n) => n + 1);
    return value.watch(() => redraw((n) => n + 1));
  }, [value]);
  return content;
}

// The latest `callback` behind an identity that never changes, so that memo components stay as they are.
export function useStable<A extends unknown[], R>(callback: (...args: A) => R): (...args: A) => R {
  const latest = useRef(callback);
  latest.current = callback;
  return useRef((...args: A) => latest.current(...args)).current;
}

// The width of an element in CSS pixels; 0 before it is drawn.
export function useWidth(element: RefObject<Element | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const target = element.current;
    if (!target) return undefined;
    setWidth(target.getBoundingClientRect().width);
    const observer = new ResizeObserver(([entry]) => setWidth(entry!.contentRect.width));
    observer.observe(target);
    return () => observer.disconnect();
  }, []);
  return width;
}

// `on`, but only once it has been true for a while: what comes and goes within that time is not shown.
export function useDelayed(on: boolean, millis: number): boolean {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!on) {
      setShown(false);
      return undefined;
    }
    const timer = window.setTimeout(() => setShown(true), millis);
    return () => window.clearTimeout(timer);
  }, [on]);
  return on && shown;
}

export function useDocumentTitle(title: string): void {
  useEffect(() => {
    document.title = title;
  }, [title]);
}

// True where a key belongs to what somebody is typing.
export function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return !!element?.closest?.(
    'input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]',
  );
}
