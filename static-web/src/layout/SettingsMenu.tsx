import { useNavigate } from '@tanstack/react-router';
import { signOut } from '~/api/session';
import { Button } from '~/ui/Button';
import { Menu, type MenuItem } from '~/ui/Menu';
import { setTheme, useTheme, type ThemeChoice } from './theme';

export function SettingsMenu({ onPalette, onHelp }: { onPalette: () => void; onHelp: () => void }) {
  const { choice } = useTheme();
  const navigate = useNavigate();
  const theme = (value: ThemeChoice, label: string): MenuItem => ({
    key: `theme-${value}`, label: choice === value ? `${label} ✓` : label, onSelect: () => setTheme(value),
  });
  return (
    <Menu
      label="Settings" trigger={<Button weight="quiet" small className="lg:justify-start lg:px-3">Settings</Button>}
      items={[
        { key: 'palette', label: 'Go to …', hint: 'Ctrl or ⌘ K', onSelect: onPalette },
        { key: 'help', label: 'Keyboard', hint: '?', onSelect: onHelp },
        { key: 'keys', label: 'API keys', onSelect: () => void navigate({ to: '/keys' }) },
        theme('system', 'Theme of the system'), theme('light', 'Light'), theme('dark', 'Dark'),
        { key: 'sign-out', label: 'Sign out', onSelect: signOut },
      ]}
    />
  );
}
