// A button with a panel below it. The panel takes the focus when it opens and gives it back; Escape,
// a click elsewhere or the focus leaving close it.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

interface Props {
  label: string;
  face: ComponentChildren;
  buttonClass?: string;
  panelClass?: string;
  // Which edge of the button the panel keeps to.
  align?: 'start' | 'end';
  id?: string;
  onOpen?: () => void;
  children: (close: () => void) => ComponentChildren;
}

export function Popover(props: Props) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  useLayoutEffect(() => {
    if (!open) return;
    const first = panel.current?.querySelector<HTMLElement>('[autofocus], input, button, [tabindex]');
    (first ?? panel.current)?.focus();
  }, [open]);
  useEffect(() => {
    if (!open) return undefined;
    const onPointer = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('pointerdown', onPointer);
    return () => document.removeEventListener('pointerdown', onPointer);
  }, [open]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || !open) return;
    event.stopPropagation();
    close();
  };
  const onFocusOut = (event: FocusEvent) => {
    const next = event.relatedTarget as Node | null;
    if (next && !root.current?.contains(next)) setOpen(false);
  };
  const toggle = () => {
    if (!open) props.onOpen?.();
    setOpen(!open);
  };

  return (
    <div class="popover" ref={root} onKeyDown={onKeyDown} onFocusOut={onFocusOut}>
      <button
        type="button"
        ref={button}
        id={props.id}
        class={props.buttonClass ?? 'button'}
        aria-label={props.label}
        title={props.label}
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={toggle}
      >
        {props.face}
      </button>
      {open && (
        <div
          ref={panel}
          class={`panel panel-${props.align ?? 'start'} ${props.panelClass ?? ''}`}
          role="dialog"
          aria-label={props.label}
          tabIndex={-1}
        >
          {props.children(close)}
        </div>
      )}
    </div>
  );
}
