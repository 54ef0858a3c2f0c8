import type { ResidueView } from '~/api/types';

/** Why an effect still stands, as the end of a sentence. */
export function residueReason(left: Pick<ResidueView, 'reason' | 'accepted_by'>): string {
  switch (left.reason) {
    case 'irreversible': return left.accepted_by ? 'it cannot be undone, and that was accepted.' : 'it cannot be undone.';
    case 'compensation_in_doubt': return 'nobody can say whether it was undone.';
    default: return 'its undo failed.';
  }
}
