import { CopyButton } from '~/ui/Value';

/** Shown once: the server keeps only a digest of it. */
export function Secret({ secret }: { secret: string }) {
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-2 rounded-xl border border-wait bg-wait-wash p-3">
        <code data-testid="key-secret" className="min-w-0 flex-1 basis-56 font-mono text-[0.87rem] break-all select-all">{secret}</code>
        <CopyButton text={secret} what="the secret" />
      </div>
      <p className="text-[0.92rem] text-ink-2">This is the only time it is shown. Keep it where your program reads <code className="font-mono text-[0.87em]">OMIUM_API_KEY</code>.</p>
    </div>
  );
}
