import { useId, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes } from 'react';

interface Labelled {
  label: string;
  hint?: ReactNode;
  problem?: string | undefined;
  testId?: string;
}

/** A labelled field; what is wrong with it stands beneath it and is read out with it. */
export function TextField({ label, hint, problem, testId, className = '', ...input }: Labelled & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="font-semibold">{label}</label>
      <input id={id} {...input} data-testid={testId} className={`field min-h-10 ${className}`} aria-invalid={problem !== undefined || undefined} aria-describedby={hint || problem ? `${id}-note` : undefined} />
      <Note id={`${id}-note`} hint={hint} problem={problem} />
    </div>
  );
}

export function SelectField({ label, hint, problem, testId, options, ...select }: Labelled & SelectHTMLAttributes<HTMLSelectElement> & { options: { value: string; label: string }[] }) {
  const id = useId();
  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="font-semibold">{label}</label>
      <select id={id} {...select} data-testid={testId} className="field min-h-10" aria-describedby={hint || problem ? `${id}-note` : undefined}>
        {options.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
      </select>
      <Note id={`${id}-note`} hint={hint} problem={problem} />
    </div>
  );
}

function Note({ id, hint, problem }: { id: string; hint: ReactNode; problem: string | undefined }) {
  if (!hint && problem === undefined) return null;
  return <span id={id} className={`text-[0.87rem] ${problem === undefined ? 'text-ink-2' : 'text-bad'}`}>{problem ?? hint}</span>;
}

export function Check({ label, hint, testId, ...input }: { label: ReactNode; hint?: string; testId?: string } & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <label className="flex items-start gap-3 py-1">
      <input type="checkbox" {...input} data-testid={testId} className="mt-0.5 size-5 shrink-0 accent-[var(--ink)]" />
      <span className="flex flex-col"><span className="font-medium">{label}</span>{hint && <span className="text-[0.87rem] text-ink-2">{hint}</span>}</span>
    </label>
  );
}

/** Something that was made and is shown once. */
export function Facts({ rows }: { rows: [string, ReactNode][] }) {
  return (
    <dl className="grid gap-x-6 gap-y-1.5 text-[0.93rem] sm:grid-cols-[max-content_1fr]">
      {rows.map(([name, value]) => (
        <div key={name} className="contents"><dt className="text-ink-2">{name}</dt><dd className="min-w-0 font-medium break-words max-sm:pb-1.5">{value}</dd></div>
      ))}
    </dl>
  );
}
