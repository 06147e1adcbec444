/** What pictures of a VPC show: subnets with what stands in them, applications as columns, who talks to whom. */
import type { ReachPair } from "../../reach/reach.ts";
import { applicationOf, ownerApplication } from "../../vpc/applications.ts";
import { isPublicSubnet } from "../../vpc/decide/routes.ts";
import type { VpcEngine } from "../../vpc/engine.ts";
import { type Network, type Owner, possible } from "../../vpc/model.ts";
import { vpcReach } from "../../vpc/shown.ts";
import type { Diff } from "../diff.ts";
import type { Step } from "../impact.ts";
import type { Topology, TopologyEdge, TopologyNode, TopologySubnet } from "../topology-form.ts";

/** The column of what belongs to no application. */
const OTHERS = "other";

/** Who reaches whom. `pairs` are those to draw; all of the VPC where left out. */
export function vpcTopology(engine: VpcEngine, title: string, pairs?: Iterable<ReachPair>): Topology {
  const drawn = pairs ?? vpcReach(engine, { outside: true, provenance: false, by: "endpoint" }).pairs;
  return topologyWith([engine.network], title, [...drawn].map(edgeOfPair));
}

function edgeOfPair({ from, to, allow, mixed, unsure }: ReachPair): TopologyEdge {
  const common = { from, to, count: 1 };
  if (allow.length > 0) return { ...common, tone: "allow", flows: allow, because: [] };
  const because = unsure.flatMap((entry) => entry.because);
  return { ...common, tone: "unsure", flows: [...mixed, ...unsure], because };
}

/** Steps by which something falls. */
export function vpcStepsTopology(engine: VpcEngine, steps: readonly Step[], title: string): Topology {
  const edge = (step: Step): TopologyEdge => ({
    from: step.from,
    to: step.to,
    tone: step.because.length > 0 ? "unsure" : step.narrowed ? "narrowed" : "allow",
    flows: step.flows,
    count: 1,
    because: step.because,
  });
  return topologyWith([engine.network], title, distinctSteps(steps).map(edge));
}

/** A step that lies on several ways is drawn once. */
function distinctSteps(steps: readonly Step[]): readonly Step[] {
  return [...new Map(steps.map((step) => [`${step.from} ${step.to}`, step])).values()];
}

/** Lost and gained connections; what stands in either network is drawn. */
export function vpcDiffTopology(
  networks: readonly [Network, Network],
  diff: Diff,
  title: string,
  cause: (change: Diff["changes"][number]) => string,
): Topology {
  const edges = diff.changes.flatMap((change): readonly TopologyEdge[] => {
    const note = cause(change);
    return (["gained", "lost", "unsure"] as const).flatMap((tone) =>
      change[tone].length === 0
        ? []
        : [
            {
              from: balancerOf(change.from),
              to: change.to,
              tone,
              flows: change[tone],
              count: 1,
              because: tone === "unsure" ? change.because : [],
              ...(note === "" ? {} : { note }),
            },
          ],
    );
  });
  return topologyWith(networks, title, edges);
}

/** `aws_lb.a:443` is drawn from its load balancer. */
function balancerOf(name: string): string {
  return name.replace(/:\d+$/, "");
}

function topologyWith(networks: readonly Network[], title: string, edges: readonly TopologyEdge[]): Topology {
  const owners = new Map<string, { readonly owner: Owner; readonly network: Network }>();
  for (const network of networks) {
    for (const owner of network.owners.values()) owners.set(owner.name, { owner, network });
  }
  const subnets = new Map<string, TopologySubnet>();
  for (const network of networks) {
    for (const subnet of network.subnets.values()) {
      const inside = [...network.owners.values()].filter((owner) =>
        owner.interfaces.some((face) => possible(face.subnet).includes(subnet.name)),
      );
      const own =
        applicationOf(subnet.tags) ?? inside.flatMap((owner) => ownerApplication(network, owner) ?? [])[0] ?? OTHERS;
      const before = subnets.get(subnet.name)?.nodes ?? [];
      subnets.set(subnet.name, {
        name: subnet.name,
        isPublic: isPublicSubnet(network, subnet),
        column: own,
        nodes: [...new Set([...before, ...inside.map((owner) => owner.name)])],
      });
    }
  }
  const nodes = [...owners.values()].map(({ owner, network }): TopologyNode => {
    const column = ownerApplication(network, owner) ?? OTHERS;
    return { id: owner.name, label: owner.name, column, count: 1, open: false, governed: owner.kind !== "nat-gateway" };
  });
  const columns = [...new Set([...subnets.values()].map((subnet) => subnet.column))].sort((a, b) =>
    a === OTHERS ? 1 : b === OTHERS ? -1 : a < b ? -1 : 1,
  );
  return { title, columns, nodes, edges, entrances: [], folded: false, subnets: [...subnets.values()] };
}
