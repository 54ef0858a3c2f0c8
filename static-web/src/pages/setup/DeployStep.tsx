import { ButtonLink } from '~/ui/Button';
import { Section } from '~/ui/Page';
import { CopyButton } from '~/ui/Value';

/** It is saved and can be called: how, from where. */
export function DeployStep({ name }: { name: string }) {
  const ways: [string, string][] = [
    ['From a shell', `omium run ${name} --input '{…}'`],
    ['Over HTTP', `curl -X POST ${window.location.origin}/v1/executions \\\n  -H "Authorization: Bearer $OMIUM_API_KEY" -H "Content-Type: application/json" \\\n  -d '{"workflow": "${name}", "input": {}}'`],
  ];
  return (
    <>
      <p data-testid="deployed" className="rounded-xl bg-good-wash px-4 py-3"><strong className="font-semibold text-good">{name} is in use.</strong> Whoever starts it by name gets the newest version; runs that are under way keep theirs.</p>
      <Section title="Start it">
        {ways.map(([title, command]) => (
          <div key={title} className="flex flex-col gap-1">
            <h3 className="font-semibold">{title}</h3>
            <div className="relative"><pre tabIndex={0} role="region" aria-label={title} className="overflow-x-auto rounded-[10px] bg-sunken p-3 pr-20 font-mono text-[0.84rem]">{command}</pre><span className="absolute top-2 right-2"><CopyButton text={command} what={title.toLowerCase()} /></span></div>
          </div>
        ))}
      </Section>
      <span className="flex flex-wrap gap-2">
        <ButtonLink weight="primary" to="/workflows/$name" params={{ name }}>Open the workflow</ButtonLink>
        <ButtonLink to="/keys">Make a key for the program that starts it</ButtonLink>
      </span>
    </>
  );
}
