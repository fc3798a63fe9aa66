// Tells elements when they come near the screen and when they leave, with one observer for all of them.
//
// Limits:  kMargin is about two screens: what scrolls in is drawn before it is seen.
const kMargin = '1500px 0px';

export type OnNear = (near: boolean, height: number) => void;

const listeners = new WeakMap<Element, OnNear>();
let observer: IntersectionObserver | null = null;

function tell(entries: IntersectionObserverEntry[]): void {
  for (const { target, isIntersecting, boundingClientRect } of entries) {
    listeners.get(target)?.(isIntersecting, boundingClientRect.height);
  }
}

// The result ends it.
export function watchNear(element: Element, onNear: OnNear): () => void {
  observer ??= new IntersectionObserver(tell, { rootMargin: kMargin });
  const used = observer;
  listeners.set(element, onNear);
  used.observe(element);
  return () => {
    used.unobserve(element);
    listeners.delete(element);
  };
}
