/** The part of a pod that policies can see: its labels, network, account and ports (kubernetes.md WL-01, WL-14). */
import type { Cursor } from "../documents/cursor.ts";
import { PORT_PROTOCOLS } from "../net/protocol.ts";
import { decodeAddress } from "./address-text.ts";
import type { Labels } from "./labels.ts";
import { portNameProblem } from "./label-syntax.ts";
import { decodeLabels } from "./metadata.ts";
import type { ContainerPort, PodDifference } from "./world.ts";

/** A pod, or the pods of a template. */
export interface PodShape extends PodDifference {
  /** As written; what a controller adds is not among them. */
  readonly labels: Labels;
}

const PORT = { min: 1, max: 65535 } as const;

/**
 * Decodes a Pod or a pod template.
 *
 * Takes the cursor on `{metadata, spec}`. Returns what policies can see of it.
 * Reports labels, ports and names that a cluster would refuse (BH203 to BH205, BH240, BH241, BH249).
 */
export function decodePodShape(pod: Cursor): PodShape {
  const spec = pod.field("spec");
  spec.object();
  const hostNetwork = spec.field("hostNetwork").boolean() ?? false;
  const ports: ContainerPort[] = [];
  const sidecarPorts: ContainerPort[] = [];
  const initPorts: ContainerPort[] = [];
  for (const container of spec.field("containers").list() ?? [])
    ports.push(...decodeContainerPorts(container, hostNetwork));
  for (const container of spec.field("initContainers").list() ?? []) {
    const declared = decodeContainerPorts(container, hostNetwork);
    if (container.field("restartPolicy").string() === "Always")
      sidecarPorts.push(...declared.map((port) => ({ ...port, sidecar: true as const })));
    else initPorts.push(...declared);
  }
  const account = spec.field("serviceAccountName").string() || spec.field("serviceAccount").string() || "default";
  return {
    labels: decodeLabels(pod.field("metadata").field("labels")),
    hostNetwork,
    serviceAccount: account,
    ports: [...ports, ...sidecarPorts],
    initPorts,
  };
}

function decodeContainerPorts(container: Cursor, hostNetwork: boolean): readonly ContainerPort[] {
  const out: ContainerPort[] = [];
  const names = new Set<string>();
  const list = container.field("ports");
  if (list.shape === "object" && list.isEmpty) {
    list.report("BH317", `${list.describe()} is a list; the empty mapping is read as the empty list`);
    return out;
  }
  for (const item of list.list() ?? []) {
    const port = item.required("containerPort").integer(PORT);
    const protocol = decodeProtocol(item.field("protocol"));
    const hostPort = item.field("hostPort").integer({ min: 0, max: 65535 }) || undefined;
    const hostAddress = decodeAddress(item.field("hostIP"));
    const name = item.field("name").string() || undefined;
    if (name !== undefined) {
      const problem = portNameProblem(name);
      if (problem !== undefined) item.field("name").error("BH241", `port name ${JSON.stringify(name)} ${problem}`);
      else if (names.has(name))
        item.field("name").error("BH249", `port name ${JSON.stringify(name)} is declared twice in one container`);
      names.add(name);
    }
    if (port === undefined || protocol === undefined) continue;
    if (hostNetwork && hostPort !== undefined && hostPort !== port)
      item
        .field("hostPort")
        .error("BH249", `${item.describe()}: hostPort must match containerPort when hostNetwork is true`);
    const open = hostNetwork ? port : hostPort;
    out.push({
      ...(name === undefined ? {} : { name }),
      protocol,
      port,
      ...(open === undefined ? {} : { hostPort: open }),
      ...(hostAddress === undefined ? {} : { hostAddress }),
    });
  }
  return out;
}

/** `spec.nodeName` of a pod or a template; `undefined` when absent or empty. */
export function decodeNodeName(pod: Cursor): string | undefined {
  return pod.field("spec").field("nodeName").string() || undefined;
}

/** The protocol of a port, TCP when absent or empty; `undefined` when it is none, reported as BH205. */
export function decodeProtocol(cursor: Cursor): (typeof PORT_PROTOCOLS)[number] | undefined {
  if (cursor.isAbsent || cursor.value === "") return "TCP";
  return cursor.enumeration(PORT_PROTOCOLS);
}
