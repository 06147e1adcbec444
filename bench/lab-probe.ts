/**
 * How long it takes to ask every pod for every port of every other, by real handshakes. Half of the pairs and three fifths
 * of the ports are allowed; every answer is compared with the rules.
 *
 *   npm run build && node --import tsx bench/lab-probe.ts [pods] [rounds]        default 100 pods, 5 ports, 3 rounds
 */

import { labDown, labProbe, labUp, planOf, rulesOf, tcpProbe } from "./built-lab.ts";
import { median } from "./figures.ts";

const NAME = "bench-probe";
const PORTS = [80, 81, 82, 83, 84];
const ALLOWED = { first: 80, last: 82 };
const [count = 100, rounds = 3] = process.argv.slice(2).map(Number);

const half = count / 2;
const peersOf = (index: number): number[] => Array.from({ length: half }, (_, i) => (index + 1 + i) % count);
await labUp(planOf(count, PORTS), rulesOf(count, ALLOWED, peersOf), { name: NAME, attached: true });
try {
  const asked = Array.from({ length: count }, (_, to) => {
    const allowed = new Set(peersOf(to));
    return Array.from({ length: count }, (_, from) => from)
      .filter((from) => from !== to)
      .flatMap((from) =>
        PORTS.map((port) => ({
          probe: tcpProbe(from, to, port),
          word: allowed.has(from) && port <= ALLOWED.last ? "allow" : "deny",
        })),
      );
  }).flat();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const begun = performance.now();
    const results = await labProbe(
      asked.map(({ probe }) => probe),
      { name: NAME },
    );
    times.push(performance.now() - begun);
    const wrong = asked.filter(({ word }, at) => results[at]?.outcome !== word).length;
    if (wrong > 0) throw new Error(`${wrong} of ${asked.length} probes were not as the rules say`);
  }
  process.stdout.write(
    `${count} pods × ${PORTS.length} ports: ${asked.length} probes, ${(median(times) / 1000).toFixed(1)} s (${times.map((time) => (time / 1000).toFixed(1)).join(", ")})\n`,
  );
} finally {
  await labDown({ name: NAME });
}
