/** `lab status`: what runs. The types are the report's own, for the core does not know the lab. */
import type { Style } from "./style.ts";
import { table } from "./table.ts";

/** A running lab. */
export interface StatusReport {
  readonly name: string;
  readonly pid: number;
  readonly nodes: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  readonly pods: readonly {
    readonly name: string;
    readonly node: string;
    readonly addresses: readonly string[];
    readonly identity: number;
    readonly ports: readonly { readonly name?: string; readonly protocol: string; readonly port: number }[];
  }[];
  readonly services: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly clusterIPs: readonly string[];
    readonly loadBalancerIPs: readonly string[];
    /** The name that an ExternalName service stands for. */
    readonly externalName?: string;
    readonly ports: readonly {
      readonly port: number;
      readonly protocol: string;
      /** Answers on every node. */
      readonly nodePort?: number;
      readonly backends: readonly string[];
    }[];
  }[];
  readonly policies: readonly string[];
  readonly generation: number;
  readonly ingress: { readonly addresses: readonly string[]; readonly loadBalancerIPs: readonly string[] } | null;
}

/** A rule that the lab leaves out. */
export interface NotEnforced {
  readonly rule: string;
  /** `file:line`; empty where nothing of the input states it. */
  readonly place: string;
  readonly why: string;
}

export function* statusJson(status: StatusReport, notEnforced: readonly NotEnforced[]): Iterable<string> {
  const { name, pid, nodes, pods, services, policies, generation, ingress } = status;
  const value = { schemaVersion: 1, name, pid, nodes, pods, services, policies, generation, ingress, notEnforced };
  yield `${JSON.stringify(value, null, 2)}\n`;
}

export function* statusText(status: StatusReport, notEnforced: readonly NotEnforced[], style: Style): Iterable<string> {
  const { nodes, pods, services, policies, ingress } = status;
  const parts = [
    counted(nodes.length, "node", "nodes"),
    counted(pods.length, "pod", "pods"),
    counted(services.length, "service", "services"),
    counted(policies.length, "policy", "policies"),
  ];
  yield `lab ${style("strong", status.name)}: ${parts.join(", ")}\n\n`;
  const podRows = pods.map((pod) => [
    pod.name,
    pod.addresses.join(" "),
    pod.node,
    String(pod.identity),
    pod.ports.map((port) => `${port.port}/${port.protocol}`).join(" "),
  ]);
  for (const line of table([["POD", "ADDRESS", "NODE", "IDENTITY", "SERVES"], ...podRows])) yield `${line}\n`;
  yield "\n";
  for (const line of table([["NODE", "ADDRESS"], ...nodes.map((node) => [node.name, node.addresses.join(" ")])]))
    yield `${line}\n`;
  if (services.length > 0) {
    const rows = services.map((service) => [
      `${service.namespace}/${service.name}`,
      [...service.clusterIPs, ...service.loadBalancerIPs].join(" ") || (service.externalName ?? "headless"),
      service.ports.map(portText).join(", "),
    ]);
    yield "\n";
    for (const line of table([["SERVICE", "ADDRESS", "PORTS"], ...rows])) yield `${line}\n`;
  }
  if (ingress !== null) yield `\nIngress at ${ingress.loadBalancerIPs.join(" ")}, port 80, from outside\n`;
  if (policies.length > 0) yield `\npolicies in force: ${policies.join(", ")}\n`;
  for (const { rule, place, why } of notEnforced)
    yield `${style("unsure", "not enforced")}: ${rule}${place === "" ? "" : ` (${place})`}: ${why}\n`;
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** As kubectl writes ports, with who answers: `80:30080/TCP → default/web:80`. */
function portText({ port, nodePort, protocol, backends }: StatusReport["services"][number]["ports"][number]): string {
  const onNodes = nodePort === undefined ? "" : `:${nodePort}`;
  return `${port}${onNodes}/${protocol} → ${backends.join(" ") || "nobody"}`;
}
