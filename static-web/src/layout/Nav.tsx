import { Link } from '@tanstack/react-router';
import type { HealthSummary } from '~/api/types';
import { destinations, type Destination } from './navigation';

function Count({ destination, health }: { destination: Destination; health: HealthSummary | undefined }) {
  const count = health && destination.count ? destination.count(health) : 0;
  if (count === 0) return null;
  const tone = destination.to === '/failures' ? 'bg-bad-wash text-bad' : 'bg-wait-wash text-wait';
  return <span className={`rounded-full px-2 text-[0.8rem] font-bold ${tone}`}>{count}<span className="sr-only"> open</span></span>;
}

export function SideNav({ health }: { health: HealthSummary | undefined }) {
  const groups = [...new Set(destinations.map(({ group }) => group))];
  return (
    <nav aria-label="Main" className="flex flex-col gap-5">
      {groups.map((group) => (
        <ul key={group} className="flex flex-col gap-0.5">
          {destinations.filter((destination) => destination.group === group).map((destination) => (
            <li key={destination.to}>
              <Link
                to={destination.to} params={{}} activeOptions={{ exact: destination.to === '/', includeSearch: false }}
                className="flex min-h-9 items-center justify-between rounded-[10px] px-3 font-medium text-ink-2 hover:bg-sunken hover:text-ink data-[status=active]:bg-sunken data-[status=active]:font-semibold dark:data-[status=active]:bg-surface data-[status=active]:text-ink"
              >
                {destination.label}
                <Count destination={destination} health={health} />
              </Link>
            </li>
          ))}
        </ul>
      ))}
    </nav>
  );
}

/** On a narrow screen: the places one goes to in a hurry; the others are in the menu. */
export function BottomBar({ health }: { health: HealthSummary | undefined }) {
  return (
    <nav aria-label="Main" className="fixed inset-x-0 bottom-0 z-30 grid grid-cols-5 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] lg:hidden">
      {destinations.filter(({ bar }) => bar).map((destination) => (
        <Link
          key={destination.to} to={destination.to} params={{}} activeOptions={{ exact: destination.to === '/', includeSearch: false }}
          className="-mt-px flex min-h-13 flex-col items-center justify-center gap-0.5 border-t-2 border-transparent text-[0.8rem] font-semibold text-ink-2 focus-visible:-outline-offset-4 data-[status=active]:border-ink data-[status=active]:text-ink"
        >
          {destination.label}
          <Count destination={destination} health={health} />
        </Link>
      ))}
    </nav>
  );
}
