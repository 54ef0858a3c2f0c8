/** Steps whose output is their input, one after the other; where something is `wrong`, one writes a rate of its own and a later one refuses it. */
export function chain(name: string, size: number, { wrong, checkpoint = true }: { wrong?: { at: number; failing: number }; checkpoint?: boolean } = {}) {
  return {
    omium: 'v0', name,
    steps: Array.from({ length: size }, (_, index) => {
      const number = index + 1;
      return {
        id: `s${number}`, type: 'decision', ...(checkpoint ? {} : { checkpoint }), ...(number > 1 ? { needs: [`s${number - 1}`] } : {}),
        input: { rate: number === wrong?.at ? -3 : number === 1 ? 2 : `\${{ steps.s${number - 1}.output.rate }}` },
        ...(number === wrong?.failing ? { guards: { post: [{ check: 'output.rate > 0', code: 'bad_rate', message: 'The rate must be above 0.' }] } } : {}),
      };
    }),
  };
}

