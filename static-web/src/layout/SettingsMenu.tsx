import { useNavigate } from '@tanstack/react-router';
import { account } from '~/api/account';
import { currentCredential, signOut } from '~/api/session';
import { Button } from '~/ui/Button';
import { Menu, type MenuItem } from '~/ui/Menu';
import { destinations } from './navigation';
import { setTheme, useTheme, type ThemeChoice } from './theme';

export function SettingsMenu({ onPalette, onHelp }: { onPalette: () => void; onHelp: () => void }) {
  const { choice } = useTheme();
  const navigate = useNavigate();
  const theme = (value: ThemeChoice, label: string): MenuItem => ({
    key: `theme-${value}`, label: choice === value ? `${label} ✓` : label, onSelect: () => setTheme(value),
  });
  return (
    <Menu
      label="Menu" trigger={<Button weight="quiet" small className="lg:justify-start lg:px-3">Menu</Button>}
      items={[
        { key: 'palette', label: 'Go to …', hint: 'Ctrl or ⌘ K', onSelect: onPalette },
        { key: 'help', label: 'Keyboard', hint: '?', onSelect: onHelp },
        ...destinations.filter(({ bar }) => !bar).map(({ to, label }): MenuItem => ({ key: to.slice(1), label, narrow: true, onSelect: () => void navigate({ to }) })),
        theme('system', 'Theme of the system'), theme('light', 'Light'), theme('dark', 'Dark'),
        { key: 'sign-out', label: 'Sign out', onSelect: () => void leave() },
      ]}
    />
  );
}

/** A person's session ends on the server, too; a key is only forgotten. */
async function leave(): Promise<void> {
  if (currentCredential()?.kind === 'person') await account.signOut().catch(() => undefined);
  signOut();
}
