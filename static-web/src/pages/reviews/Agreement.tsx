import type { ClaimView, HandoffView, Json } from '~/api/types';
import { preview } from '~/model/format';
import { isObject } from '~/model/graph';

export type Claim = Pick<ClaimView, 'name' | 'said' | 'seen' | 'agrees' | 'problem'>;

/** A handoff as it stands: both views, how often it was measured, and who said what is there. */
export function HandoffNote({ handoff }: { handoff: HandoffView }) {
  const by = handoff.acknowledged_by;
  return (
    <div className="flex flex-col gap-2" data-testid="handoff" data-status={handoff.status} data-round={handoff.round}>
      <p className="text-[0.9rem] text-ink-2">
        {handoff.status === 'proposed' ? `${handoff.to} is being asked what it holds` : `Measured ${handoff.round === 1 ? 'once' : `${handoff.round} times`}`}
        {handoff.status === 'proposed' && handoff.round > 1 && `, for the ${ordinal(handoff.round)} time`}
        {by !== undefined && (by === 'omium' ? '; acknowledged by Omium, which measured it' : <>; acknowledged by a worker with <span className="font-mono text-[0.84rem]">{by}</span></>)}.
      </p>
      <Views claims={handoff.claims} sender={handoff.from} receiver={handoff.to} />
    </div>
  );
}

/** Both views side by side: what the sender says, and what is there. */
export function Views({ claims, sender, receiver }: { claims: Claim[]; sender: string; receiver: string }) {
  return (
    <div className="overflow-x-auto rounded-xl bg-sunken px-4 py-3">
      <table className="w-full text-left" data-testid="handoff-views">
        <thead>
          <tr className="text-[0.84rem] text-ink-2"><th scope="col" className="pr-6 font-normal">Claim</th><th scope="col" className="pr-6 font-normal">{sender} says</th><th scope="col" className="font-normal">{receiver} holds</th></tr>
        </thead>
        <tbody>
          {claims.map((claim) => (
            <tr key={claim.name}>
              <th scope="row" className="pr-6 font-mono text-[0.84rem] font-normal text-ink-2">{claim.name}</th>
              <td className="pr-6 font-medium break-words">{preview(claim.said, 200)}</td>
              <td className={`font-medium break-words ${claim.agrees === false ? 'text-bad' : ''}`}>{claim.problem ?? (claim.seen === undefined ? 'not measured yet' : preview(claim.seen, 200))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What every verifier said, as the review shows it. */
export function Verdicts({ verdicts }: { verdicts: Json[] }) {
  return (
    <ul className="flex flex-col gap-2 rounded-xl bg-sunken px-4 py-3" aria-label="Verdicts" data-testid="verdicts">
      {verdicts.filter(isObject).map((verdict) => (
        <li key={String(verdict.agent)}>
          <strong className="font-semibold">{String(verdict.agent)}</strong>: <span className={verdict.verdict === 'reject' ? 'text-bad' : ''}>{String(verdict.verdict)}</span>, {String(verdict.reason)}
        </li>
      ))}
    </ul>
  );
}

/** The claims of a handoff as its review shows them: those that differ. */
export function claimsOf(shown: Json | undefined): Claim[] {
  if (!isObject(shown) || !Array.isArray(shown.claims)) return [];
  return shown.claims.filter(isObject).map((claim) => ({
    name: String(claim.claim),
    said: claim.said ?? null,
    agrees: false,
    ...(claim.seen === undefined ? {} : { seen: claim.seen }),
    ...(typeof claim.problem === 'string' ? { problem: claim.problem } : {}),
  }));
}

function ordinal(number: number): string {
  const ending = number % 100 >= 11 && number % 100 <= 13 ? 'th' : ['th', 'st', 'nd', 'rd'][number % 10] ?? 'th';
  return `${number}${ending}`;
}
