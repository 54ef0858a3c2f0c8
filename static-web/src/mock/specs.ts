import type { JsonObject } from '~/api/types';
import { termsAgent } from './onboarding';

const agent = (role: string, prompt: string): JsonObject => ({ role, prompt, model: 'scripted-demo' });

export const onboardingSpec: JsonObject = {
  omium: 'v0', name: 'customer-onboarding', version: 3, description: 'Four agents take on a customer: verify, score, write the terms, send the offer.',
  input: { schema: { type: 'object', required: ['customer_id', 'name', 'email', 'amount'], properties: { customer_id: { type: 'string' }, name: { type: 'string' }, email: { type: 'string' }, amount: { type: 'number', minimum: 500 } } } },
  agents: { kyc: agent('KYC verifier', 'Verify the documents of ${{ input.name }}.'), score: agent('Credit scorer', 'Score the credit risk.'), terms: { role: termsAgent.role!, prompt: termsAgent.prompt, model: 'scripted-demo', constraints: termsAgent.constraints } },
  tools: { send_offer: { type: 'http', method: 'POST', url: 'http://localhost:8421/offers', effect: { kind: 'idempotent' } } },
  steps: [
    { id: 'kyc', type: 'agent_task', agent: 'kyc', checkpoint: 'kyc_doc_validated' },
    { id: 'score', type: 'agent_task', agent: 'score', needs: ['kyc'], checkpoint: 'credit_scored' },
    { id: 'terms', type: 'agent_task', agent: 'terms', needs: ['score', 'kyc'], checkpoint: 'terms_generated', guards: { post: [{ check: 'output.apr >= 2.5 && output.apr <= 8.5', code: 'hallucination', message: 'APR must be between 2.5 % and 8.5 %.' }] } },
    { id: 'send_offer', type: 'tool_call', tool: 'send_offer', needs: ['terms'], checkpoint: 'offer_sent', effect: { kind: 'idempotent' } },
  ],
};

export const inboxSpec: JsonObject = {
  omium: 'v0', name: 'inbox-cleanup', version: 1, description: 'Sorts a shared inbox and archives what is done.',
  agents: { sorter: agent('Inbox sorter', 'Sort the messages of the last day.') },
  steps: [
    { id: 'read', type: 'tool_call', tool: 'list_messages' },
    { id: 'sort', type: 'agent_task', agent: 'sorter', needs: ['read'], effect: { kind: 'irreversible' } },
    { id: 'report', type: 'agent_task', agent: 'sorter', needs: ['sort'] },
  ],
  edges: [{ from: 'report', to: 'sort', on: 'failure', max_visits: 3 }],
};

export const payoutSpec: JsonObject = {
  omium: 'v0', name: 'supplier-payout', version: 2, description: 'Checks an invoice, asks for approval above a limit, pays it.',
  agents: { checker: agent('Invoice checker', 'Compare the invoice with the order.') },
  steps: [
    { id: 'check', type: 'agent_task', agent: 'checker' },
    { id: 'approve', type: 'human_approval', needs: ['check'] },
    { id: 'pay', type: 'tool_call', tool: 'bank_transfer', needs: ['approve'], effect: { kind: 'irreversible' } },
  ],
};

export const migrationSpec: JsonObject = {
  omium: 'v0', name: 'crm-migration', version: 5, description: 'Moves customer records between two systems and proves that none was lost.',
  agents: { exporter: agent('Exporter', 'Export the records.') },
  steps: [{ id: 'export', type: 'agent_task', agent: 'exporter' }, { id: 'load', type: 'worker', worker: 'loader', needs: ['export'], effect: { kind: 'verifiable' } }, { id: 'confirm', type: 'decision', needs: ['load'] }],
};
