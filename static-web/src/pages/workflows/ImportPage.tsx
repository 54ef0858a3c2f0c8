import { Link } from '@tanstack/react-router';
import { Page } from '~/ui/Page';
import { SpecWorkbench } from './SpecWorkbench';

export function ImportPage() {
  return (
    <Page
      wide title="Write a workflow" lead={<>Paste it or write it, as YAML or JSON, or fill in the form. Coming from CrewAI, LangGraph, AutoGen or Sematic? <Link to="/workflows/setup" className="font-semibold underline underline-offset-2">Set it up step by step</Link>.</>}
      above={<nav aria-label="Where you are" className="text-[0.9rem] text-ink-2"><Link to="/workflows" className="underline underline-offset-2">Workflows</Link></nav>}
    >
      <SpecWorkbench initial="" saveLabel="Save" />
    </Page>
  );
}
