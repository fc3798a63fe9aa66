// Boxes of a form with their labels.
import type { ComponentChildren } from 'preact';
import { t } from '../i18n/i18n';

interface TextProps {
  id: string;
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: string;
  placeholder?: string;
  required?: boolean;
  pattern?: string;
  mono?: boolean;
  autoFocus?: boolean;
}

export function TextField({ id, label, value, onInput, hint, mono, ...rest }: TextProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        class={`input ${mono ? 'mono' : ''}`}
        type="text"
        spellcheck={false}
        autoComplete="off"
        value={value}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onInput={(event) => onInput(event.currentTarget.value)}
        {...rest}
      />
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  id: string;
  label: string;
  value: T;
  options: ReadonlyArray<readonly [T, string]>;
  onChange: (value: T) => void;
}

export function ChoiceField<T extends string>({
  id,
  label,
  value,
  options,
  onChange,
}: ChoiceProps<T>) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        class="input"
        value={value}
        onChange={(event) => onChange(event.currentTarget.value as T)}
      >
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

interface FormProps {
  children: ComponentChildren;
  submit: string;
  danger?: boolean;
  disabled?: boolean;
  onSubmit: () => void;
  onCancel: () => void;
}

export function Form({ children, submit, danger, disabled, onSubmit, onCancel }: FormProps) {
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
      <div class="form-buttons">
        <button type="button" class="button" onClick={onCancel}>
          {t('app.cancel')}
        </button>
        <button
          type="submit"
          class={`button ${danger ? 'button-danger' : 'button-primary'}`}
          disabled={disabled}
        >
          {submit}
        </button>
      </div>
    </form>
  );
}
