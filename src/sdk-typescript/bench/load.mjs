/** So many runs, so many in flight: runs a second and how long each took. */
export async function load(run, runs, inFlight) {
  const times = [];
  let next = 0;
  const started = performance.now();
  await Promise.all(Array.from({ length: Math.min(inFlight, runs) }, async () => {
    while (next < runs) {
      const number = next++;
      const begun = performance.now();
      await run(number);
      times.push(performance.now() - begun);
    }
  }));
  const seconds = (performance.now() - started) / 1_000;
  times.sort((one, other) => one - other);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return { runs, in_flight: inFlight, runs_per_s: runs / seconds, p50_ms: at(0.5), p99_ms: at(0.99) };
}
