import type { DependencyLink, FailureView } from '~/api/types';
import { stepLook, type StatusLook } from '~/model/status';
import { Section } from '~/ui/Page';
import { Knot, Thread } from '~/ui/Thread';
import { Fields } from '~/ui/Value';

const failed: StatusLook = { label: 'Failed', tone: 'bad', shape: 'cross' };

/** From the first step that contributed to the one that failed; where it began is marked. */
export function DependencyChain({ failure }: { failure: FailureView }) {
  const { dependency_chain: chain, root_cause: root } = failure;
  if (chain.length === 0 && !root) return null;
  return (
    <Section title="How it came to this">
      {chain.length > 0 && (
        <Thread label="Dependency chain">
          {chain.map((link, index) => {
            const isFailed = link.step === failure.failure.step && link.visit === failure.failure.visit;
            const isRoot = root?.step === link.step && root.visit === link.visit;
            return (
              <Knot key={`${link.step}-${link.visit}`} look={isFailed ? failed : stepLook(link.status)} last={index === chain.length - 1} broken={chain[index + 1]?.step === failure.failure.step}>
                <Link link={link} isRoot={isRoot} isFailed={isFailed} />
              </Knot>
            );
          })}
        </Thread>
      )}
      {root && (
        <p data-testid="root-cause" className="measure border-l-[3px] border-bad pl-4">
          <span className="eyebrow block">Root cause, at {root.step}</span>
          {root.explanation}
        </p>
      )}
    </Section>
  );
}

function Link({ link, isRoot, isFailed }: { link: DependencyLink; isRoot: boolean; isFailed: boolean }) {
  return (
    <div className="flex flex-col gap-0.5">
      <span className="flex flex-wrap items-baseline gap-x-2.5">
        <strong className="font-semibold">{link.step}</strong>
        {link.actor && link.actor !== link.step && <span className="text-[0.87rem] text-ink-2">{link.actor}</span>}
        {isRoot && <span className="rounded-full bg-bad-wash px-2 text-[0.8rem] font-bold text-bad">it began here</span>}
      </span>
      {link.reads.length > 0 && <span className="text-[0.87rem] text-ink-2">reads {link.reads.map((read) => read.step).join(', ')}</span>}
      <span className="flex flex-wrap items-baseline gap-x-2">
        <span className="text-[0.87rem] text-ink-2">{isFailed ? 'answered' : 'gave'}</span>
        <Fields value={link.output} />
      </span>
    </div>
  );
}
