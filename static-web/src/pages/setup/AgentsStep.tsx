import type { JsonObject } from '~/api/types';
import { count, preview } from '~/model/format';
import { graphOfSpec, isObject } from '~/model/graph';
import { stepForms } from '~/model/specText';
import { agentsOf } from '~/model/spec';
import { humanise } from '~/model/status';
import { Graph } from '~/ui/graph';
import { Section } from '~/ui/Page';

/** What the import holds: who does what, and what reaches outside. */
export function AgentsStep({ spec }: { spec: JsonObject }) {
  const agents = agentsOf(spec);
  const steps = stepForms(spec);
  const tools = isObject(spec.tools) ? Object.entries(spec.tools) : [];
  const detail = (name: string) => (isObject(spec.agents) && isObject(spec.agents[name]) ? spec.agents[name] : {});
  return (
    <>
      <p className="text-[1.15rem]" data-testid="agents-found">
        {count(agents.length, 'agent')}, {count(steps.length, 'step')}{tools.length > 0 && `, ${count(tools.length, 'tool')}`}{typeof spec.source_framework === 'string' && `, from ${humanise(spec.source_framework)}`}.
      </p>
      {agents.length > 0 && (
        <Section title="Agents">
          <ul className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
            {agents.map((agent) => (
              <li key={agent.id} className="card flex flex-col gap-1.5 p-4">
                <strong className="font-semibold">{agent.id}</strong>
                <span className="text-[0.9rem] text-ink-2">{[agent.role, agent.model].filter(Boolean).join(', ') || 'no role named'}</span>
                <p className="text-[0.93rem]">{preview(detail(agent.id).prompt ?? detail(agent.id).goal, 160)}</p>
                <span className="text-[0.87rem] text-ink-2">does {steps.filter(({ actor }) => actor === agent.id).map(({ id }) => id).join(', ') || 'nothing yet'}</span>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Section title="How they depend on each other"><Graph planned graph={graphOfSpec(spec)} /></Section>
    </>
  );
}
