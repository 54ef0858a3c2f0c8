import { ButtonLink } from '~/ui/Button';
import { Page } from '~/ui/Page';

export function NotFound() {
  return (
    <Page title="There is no page at this address" lead="The address may be mistyped, or come from another version of Omium.">
      <ButtonLink to="/" className="self-start">Go to the overview</ButtonLink>
    </Page>
  );
}
