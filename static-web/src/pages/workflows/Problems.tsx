import type { SpecProblem } from '~/api/types';
import { Glyph } from '~/ui/Glyph';

/** Findings of the static checks: what is wrong, where, and how to mend it. */
export function Problems({ problems, lines, onGo }: { problems: SpecProblem[]; lines?: number[]; onGo?: (index: number) => void }) {
  return (
    <ul aria-label="Findings" className="flex flex-col gap-2">
      {problems.map((problem, index) => {
        const error = problem.severity === 'error';
        return (
          <li key={`${problem.pointer}-${problem.code}-${index}`} data-testid="problem" className={`flex gap-3 rounded-xl border px-4 py-3 ${error ? 'border-bad bg-bad-wash' : 'border-wait bg-wait-wash'}`}>
            <span className="pt-0.5"><Glyph look={error ? { label: 'Error', tone: 'bad', shape: 'cross' } : { label: 'Warning', tone: 'wait', shape: 'question' }} /></span>
            <div className="flex min-w-0 flex-1 flex-col gap-0.5">
              <p className="font-semibold"><span className="sr-only">{error ? 'Error: ' : 'Warning: '}</span>{problem.message}</p>
              <p>{problem.mend}</p>
              <p className="flex flex-wrap items-center gap-x-3 text-[0.87rem] text-ink-2">
                <code className="font-mono text-[0.82rem] break-all">{problem.pointer || '/'}</code>
                <code className="font-mono text-[0.82rem]">{problem.code}</code>
                {onGo && lines?.[index] !== undefined && <button type="button" className="min-h-6 font-semibold text-ink underline underline-offset-2" onClick={() => onGo(index)}>Go to line {lines[index]}</button>}
              </p>
            </div>
          </li>
        );
      })}
    </ul>
  );
}
