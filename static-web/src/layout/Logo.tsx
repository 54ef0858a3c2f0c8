export function Logo() {
  return (
    <span className="flex items-center gap-2.5 text-[1.15rem] font-bold tracking-tight">
      <svg width="24" height="24" viewBox="0 0 32 32" aria-hidden="true">
        <path d="M16 4a12 12 0 1 1-8.5 3.5" fill="none" stroke="currentColor" strokeWidth="3.4" strokeLinecap="round" />
        <circle cx="7.6" cy="7.4" r="4" fill="currentColor" />
      </svg>
      Omium
    </span>
  );
}
