/** What benchmarks say of their figures. */

/** CPU time of this process so far, the collector's and the compiler's threads included, in milliseconds. */
export function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The value that this share of all lies below; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

const RESAMPLES = 2000;

/** The middle 95 % of the medians of as many samples drawn from these values (bootstrap; the same draws in every run). */
export function boundsOfMedian(values: readonly number[]): readonly [low: number, high: number] {
  let state = 1;
  const draw = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return values[Math.floor((state / 2 ** 32) * values.length)] ?? NaN;
  };
  const medians = Array.from({ length: RESAMPLES }, () => median(values.map(draw))).toSorted((a, b) => a - b);
  return [medians[Math.floor(RESAMPLES * 0.025)] ?? NaN, medians[Math.floor(RESAMPLES * 0.975)] ?? NaN];
}
