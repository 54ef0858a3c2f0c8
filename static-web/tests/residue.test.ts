import { describe, expect, it } from 'vitest';
import { residueReason } from '~/model/residue';
import { decisionLook } from '~/model/status';

describe('what was left in the world', () => {
  it('says why it stands, and whether somebody accepted that', () => {
    expect(residueReason({ reason: 'irreversible', accepted_by: 'key_1' })).toContain('accepted');
    expect(residueReason({ reason: 'irreversible' })).not.toContain('accepted');
    expect(residueReason({ reason: 'compensation_failed' })).toContain('failed');
    expect(residueReason({ reason: 'compensation_in_doubt' })).toContain('nobody can say');
  });

  it('is accepted as a grave decision', () => {
    expect(decisionLook('accept_residue', 'failure')).toMatchObject({ grave: true, needsOutput: false });
  });
});
