/** The same five steps as a handler of Restate, at PORT. */
import * as restate from '@restatedev/restate-sdk';

// The library uses what Node.js 22 brings; the comparison runs on 20 as well.
Promise.withResolvers ??= function withResolvers() {
  const made = {};
  made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};

const flow = restate.service({
  name: 'flow',
  handlers: {
    run: async (context, number) => {
      let total = number;
      for (let step = 1; step <= 5; step++) total = await context.run(`step${step}`, () => total + step);
      return total;
    },
  },
});

await restate.serve({ services: [flow], port: Number(process.env.PORT), ...(process.env.QUIET && { logger: () => undefined }) });
