import { Link, type LinkProps } from '@tanstack/react-router';
import type { ButtonHTMLAttributes, MouseEvent, ReactNode } from 'react';

export type Weight = 'primary' | 'plain' | 'quiet' | 'grave';

const weights: Record<Weight, string> = {
  primary: 'bg-ink text-canvas hover:opacity-88 border border-transparent',
  plain: 'bg-surface text-ink border border-edge hover:bg-sunken',
  quiet: 'text-ink-2 border border-transparent hover:bg-sunken hover:text-ink',
  grave: 'bg-surface text-bad border border-bad hover:bg-bad-wash',
};

export function buttonClass(weight: Weight = 'plain', small = false): string {
  const size = small ? 'min-h-8 px-2.5 text-[0.87rem]' : 'min-h-10 px-4';
  return `inline-flex items-center justify-center gap-2 rounded-[10px] font-semibold whitespace-nowrap transition-colors disabled:opacity-60 aria-busy:opacity-60 ${size} ${weights[weight]}`;
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  weight?: Weight;
  small?: boolean;
  busy?: boolean;
}

/** While busy the button keeps its name, its width and the keyboard's focus, which a disabled one would lose, and cannot be pressed twice. */
export function Button({ weight, small, busy = false, className = '', children, disabled, onClick, ...rest }: ButtonProps) {
  const busyProps = busy ? { 'aria-busy': true, 'aria-disabled': true, onClick: (event: MouseEvent) => event.preventDefault() } : { onClick };
  return (
    <button type="button" {...rest} {...busyProps} disabled={disabled} className={`${buttonClass(weight, small)} ${className}`}>
      {busy && <span aria-hidden="true" className="breathing size-2 rounded-full bg-current" />}
      {children}
    </button>
  );
}

export function ButtonLink({ weight, small, className = '', testId, children, ...link }: LinkProps & { weight?: Weight; small?: boolean; className?: string; testId?: string; children: ReactNode }) {
  return <Link {...link} data-testid={testId} className={`${buttonClass(weight, small)} ${className}`}>{children}</Link>;
}
