import type { PlanView, TransactionView } from '~/api/generated';

/** Credits with thousands kept apart; parts of a credit only where there are some. */
export function credits(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 100 ? 3 : 0 });
}

/** 1,000 credits are one US dollar. */
export function usd(value: number): string {
  return (value / 1000).toLocaleString('en', { style: 'currency', currency: 'USD' });
}

/** Movements by the local day they fell on, in the order they came. */
export function dayGroups(items: TransactionView[]): { day: string; items: TransactionView[] }[] {
  const groups: { day: string; items: TransactionView[] }[] = [];
  for (const item of items) {
    const day = new Date(item.at).toDateString();
    const last = groups.at(-1);
    if (last?.day === day) last.items.push(item);
    else groups.push({ day, items: [item] });
  }
  return groups;
}

export function planWords({ checkpoints_per_month: all, checkpoints_left: left }: PlanView): string {
  if (all === undefined || left === undefined) return 'Checkpoints without limit.';
  return `${(all - left).toLocaleString('en')} of the month’s ${all.toLocaleString('en')} checkpoints used; credits are touched after that.`;
}
