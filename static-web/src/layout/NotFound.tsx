import { ButtonLink } from '~/ui/Button';
import { Empty } from '~/ui/states';

export function NotFound() {
  return (
    <Empty title="There is no page at this address" action={<ButtonLink to="/">Go to the overview</ButtonLink>}>
      The address may be mistyped, or come from another version of Omium.
    </Empty>
  );
}
