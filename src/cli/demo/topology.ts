/** The topology of a small cluster, drawn in a terminal: north at the top, one column for each application. */
import { resolveService } from "../../model/backends.ts";
import type { World } from "../../model/world.ts";
import { applicationName } from "../../reach/grouping.ts";
import type { Style } from "../../report/style.ts";
import { centre, padEnd, textWidth } from "../../report/text-width.ts";

const GAP = 4;

interface Column {
  readonly title: string;
  /** Hosts of Ingress rules that lead here. */
  readonly hosts: readonly string[];
  readonly lines: readonly string[];
}

/** Draws the topology. Takes the world. Returns lines. */
export function drawTopology(world: World, style: Style): string[] {
  const columns = columnsOf(world);
  const widths = columns.map(({ title, hosts, lines }) => Math.max(...[title, ...hosts, ...lines].map(textWidth)) + 4);
  const width = widths.reduce((sum, one) => sum + one, 0) + GAP * (columns.length - 1);
  const row = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => centre(cell, widths[i] ?? 0))
      .join(" ".repeat(GAP))
      .trimEnd();
  const out: string[] = [];
  if (world.ingresses.length > 0) {
    const names = world.ingresses.map((ingress) => `Ingress ${ingress.name}`).join(", ");
    for (const text of ["outside", "│", "load balancer", "│", names]) out.push(centre(text, width).trimEnd());
    out.push(branches(widths));
    const deepest = Math.max(...columns.map((column) => column.hosts.length));
    for (let i = 0; i < deepest; i++) out.push(style("faint", row(columns.map((column) => column.hosts[i] ?? ""))));
    out.push(row(columns.map((column) => (column.hosts.length > 0 ? "│" : ""))));
  }
  const inner = widths.map((one) => one - 4);
  const boxes = (cells: readonly string[]): string => cells.join(" ".repeat(GAP));
  out.push(
    boxes(
      columns.map(
        ({ title }, i) => `┌─${style("strong", title)}${"─".repeat((inner[i] ?? 0) + 1 - textWidth(title))}┐`,
      ),
    ),
  );
  const tallest = Math.max(...columns.map((column) => column.lines.length));
  for (let i = 0; i < tallest; i++) {
    out.push(boxes(columns.map(({ lines }, c) => `│ ${padEnd(lines[i] ?? "", inner[c] ?? 0)} │`)));
  }
  out.push(boxes(inner.map((one) => `└${"─".repeat(one + 2)}┘`)));
  return out;
}

/** The line that leads from one point to the middle of every column. */
function branches(widths: readonly number[]): string {
  const middles: number[] = [];
  let at = 0;
  for (const width of widths) {
    middles.push(at + Math.floor((width - 1) / 2));
    at += width + GAP;
  }
  const [first = 0] = middles;
  const last = middles.at(-1) ?? first;
  if (first === last) return `${" ".repeat(first)}│`;
  const centreAt = Math.floor((at - GAP - 1) / 2);
  let line = " ".repeat(first);
  for (let i = first; i <= last; i++) {
    const corner =
      i === first ? "┌" : i === last ? "┐" : middles.includes(i) ? (i === centreAt ? "┼" : "┬") : undefined;
    line += corner ?? (i === centreAt ? "┴" : "─");
  }
  return line;
}

function columnsOf(world: World): Column[] {
  const names = [...new Set(world.workloads.map(applicationName))];
  return names.map((name) => {
    const workloads = world.workloads.filter((workload) => applicationName(workload) === name);
    const services = world.services.filter((service) =>
      resolveService(world, service).some(({ backends }) =>
        backends.some((backend) => backend.kind === "pod" && workloads.includes(backend.workload)),
      ),
    );
    const hosts = world.ingresses.flatMap((ingress) =>
      ingress.rules
        .filter((rule) => rule.paths.some((path) => services.some((service) => service.name === path.backend?.service)))
        .map((rule) => rule.host ?? "any host"),
    );
    const lines = workloads.map((workload) => {
      const ports = workload.ports.map((port) => `:${port.port}`).join(" ");
      const count = workload.replicas === 1 ? "" : ` ×${workload.replicas}`;
      return `${workload.name}${count}${ports === "" ? "" : ` ${ports}`}`;
    });
    const [, title = name] = name.split("/");
    return { title: ` ${title} `, hosts: [...new Set(hosts)], lines };
  });
}
