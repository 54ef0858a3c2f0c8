import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { currentCredential } from '~/api/session';
import { meQuery } from '~/api/queries';
import { Behind } from '~/ui/may';
import { Page } from '~/ui/Page';
import { Tabs } from '~/ui/Tabs';
import { PeopleTab } from './PeopleTab';
import { PolicyTab } from './PolicyTab';
import { RetentionTab } from './RetentionTab';
import { SecretsTab } from './SecretsTab';
import { SingleSignOnTab } from './SingleSignOnTab';
import { YouTab } from './YouTab';

export function SettingsPage() {
  const { tab } = useSearch({ from: '/settings' });
  const navigate = useNavigate({ from: '/settings' });
  const me = useQuery(meQuery);
  const isPerson = currentCredential()?.kind === 'person';
  const items = [
    { value: 'people', label: 'People', content: <Behind scope="admin" what="The list of members"><PeopleTab /></Behind> },
    { value: 'policy', label: 'Recovery policy', content: <PolicyTab /> },
    { value: 'secrets', label: 'Tool credentials', content: <Behind scope="admin" what="The list of tool credentials"><SecretsTab /></Behind> },
    { value: 'retention', label: 'Retention', content: <Behind scope="admin" what="Retention"><RetentionTab /></Behind> },
    { value: 'sso', label: 'Single sign-on', content: <Behind scope="admin" what="Single sign-on"><SingleSignOnTab /></Behind> },
    ...(isPerson ? [{ value: 'you', label: 'You', content: <YouTab /> }] : []),
  ];
  const chosen = items.some(({ value }) => value === tab) ? tab! : me.data && me.data.scopes?.includes('admin') === false ? 'policy' : 'people';
  return (
    <Page title="Settings" lead={me.data && <>For <strong className="font-semibold text-ink">{me.data.tenant}</strong>. {me.data.role ? `You are signed in as ${me.data.role}.` : 'You are signed in with a key.'}</>}>
      <Tabs label="Settings" value={chosen} onChange={(next) => void navigate({ search: { tab: next }, replace: true })} items={items} />
    </Page>
  );
}
