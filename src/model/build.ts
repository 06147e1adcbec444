/** Builds the world from the objects of the input, and accounts for every one of them. */
import type { Diagnostic } from "../base/diagnostic.ts";
import { Cursor, Findings } from "../documents/cursor.ts";
import type { Document } from "../documents/document.ts";
import { type AddressSet, addressSetOf, type Prefix } from "../net/address.ts";
import { planAddresses } from "./address-plan.ts";
import { decodeCidrGroup } from "./cidr-groups.ts";
import { CILIUM_CONFIG_NAME, decodeCiliumConfig, isCiliumConfig } from "./cilium-config.ts";
import { CONTROLLER_KINDS, type Controller, type ControllerKind, decodeController } from "./controllers.ts";
import { Duplicates } from "./duplicates.ts";
import { decodeEndpointSlice, decodeEndpoints, type EndpointsTelling, handWritten } from "./endpoints.ts";
import { decodeForeign, FOREIGN_KINDS, isForeign } from "./foreign.ts";
import { decodeGateway, decodeGatewayClass, decodeReferenceGrant, GATEWAY_GROUP } from "./gateways.ts";
import { decodeIngress, decodeIngressClass } from "./ingresses.ts";
import { isClusterPolicy, isCustom, isOptionalPolicy, standingOf } from "./kinds.ts";
import { checkLinks } from "./links.ts";
import { LiveWorld } from "./live-world.ts";
import { groupOf, versionOf } from "./metadata.ts";
import { decodeNamespace, synthesiseNamespace } from "./namespaces.ts";
import { decodeCiliumNode, decodeNode, isApiServer, joinNodes, type NodeMention, type NodeTelling } from "./nodes.ts";
import { isMadeBy, podMakerOf } from "./pod-makers.ts";
import { PodSamples } from "./pod-samples.ts";
import { decodeRoute, ROUTE_KINDS } from "./routes.ts";
import { decodeService, decodeServiceCIDR, findTaken } from "./services.ts";
import { Tally } from "./tally.ts";
import { decodePod, type Pod, WorkloadTable } from "./workloads.ts";
import type {
  CidrGroup,
  ForeignPolicy,
  Gateway,
  GatewayClass,
  Ingress,
  IngressClass,
  Namespace,
  Node,
  PodMaker,
  ReferenceGrant,
  Route,
  Service,
  Workload,
  World,
} from "./world.ts";

export interface WorldOptions {
  /** Ranges of pods, nodes and Services that the user declares; each replaces what the input says of it. */
  readonly podCIDRs?: AddressSet;
  readonly nodeCIDRs?: AddressSet;
  readonly serviceCIDRs?: AddressSet;
  /** Which kinds the dialects at hand enforce; their objects are left to them. */
  readonly policyKinds?: (apiVersion: string, kind: string) => boolean;
  /** The namespace of namespaced objects that name none; `default` unless given. */
  readonly defaultNamespace?: string;
  /** Nodes of pods (`namespace/name`) that are elsewhere than their objects say; a node that is not there does not count. */
  readonly placement?: ReadonlyMap<string, string>;
}

/** What became of every object. INVARIANT: understood + irrelevant + refused = objects. */
export interface Account {
  /** Read into the world, left to the dialects, or listed as foreign. */
  readonly understood: number;
  /** How many objects of a kind do not bear on the answer, by `kind` in the order of the input. */
  readonly irrelevant: ReadonlyMap<string, number>;
  /** Each with an error of its own; policies that only a dialect refuses are not among them. */
  readonly refused: readonly Document[];
}

export interface BuiltWorld {
  readonly world: World;
  /** The same world, for changes of single objects. */
  readonly live: LiveWorld;
  readonly diagnostics: readonly Diagnostic[];
  readonly account: Account;
}

/**
 * Builds the world.
 *
 * Takes the objects in the order of the input and the options.
 * Returns the world, what there is to say about the objects, and the account of them. An object with an error is
 * refused: the world is as if it were absent. Nothing throws on what an object holds.
 */
export function buildWorld(documents: readonly Document[], options: WorldOptions = {}): BuiltWorld {
  const builder = new Builder(options);
  for (const document of documents) builder.add(document);
  return builder.finish();
}

// ── kinds that are read ────────────────────────────────────────────────────────────────────────────────────────────

/** What has been read so far. */
class Draft {
  readonly namespaces = new Map<string, Namespace>();
  readonly nodes: NodeTelling[] = [];
  readonly ciliumNodes: NodeTelling[] = [];
  readonly pods: Pod[] = [];
  readonly controllers: Controller[] = [];
  readonly services: Service[] = [];
  readonly endpoints: EndpointsTelling[] = [];
  readonly ingresses: Ingress[] = [];
  readonly ingressClasses: IngressClass[] = [];
  readonly gatewayClasses: GatewayClass[] = [];
  readonly gateways: Gateway[] = [];
  readonly routes: Route[] = [];
  readonly referenceGrants: ReferenceGrant[] = [];
  readonly cidrGroups = new Map<string, CidrGroup>();
  readonly serviceCIDRs: Prefix[] = [];
  ciliumConfig: ReadonlyMap<string, string> | undefined;
}

/**
 * Decodes one object and returns what adds it to the draft once it is known to be without error. Takes the object, its
 * namespace and the pods that were decoded before.
 */
type Read = (object: Cursor, namespace: string, samples: PodSamples) => (draft: Draft) => void;

interface Reader {
  /** Versions that clusters serve now. */
  readonly versions: readonly string[];
  /** Versions that clusters served once, of the same shape. */
  readonly former?: readonly string[];
  readonly cluster?: true;
  /** The input may have so many of them that keeping what was decoded costs more than it saves. */
  readonly many?: true;
  readonly read: Read;
}

function controllerReader(kind: ControllerKind): Read {
  return (object, namespace) => {
    const controller = decodeController(object, kind, namespace);
    return (draft) => void draft.controllers.push(controller);
  };
}

function routeReader(kind: Route["kind"]): Read {
  return (object, namespace) => {
    const route = decodeRoute(object, kind, namespace);
    return (draft) => void draft.routes.push(route);
  };
}

/** A reader that decodes to one thing and puts it somewhere. */
function reading<T>(
  decode: (object: Cursor, namespace: string, samples: PodSamples) => T,
  put: (draft: Draft, thing: T) => void,
): Read {
  return (object, namespace, samples) => {
    const thing = decode(object, namespace, samples);
    return (draft) => put(draft, thing);
  };
}

const GATEWAY_VERSIONS = ["v1", "v1beta1", "v1alpha2", "v1alpha3"];

function controllerVersions(kind: ControllerKind): Pick<Reader, "versions" | "former"> {
  if (kind === "CronJob") return { versions: ["v1"], former: ["v1beta1", "v2alpha1"] };
  if (kind === "Job" || kind === "ReplicationController") return { versions: ["v1"] };
  return { versions: ["v1"], former: ["v1beta1", "v1beta2"] };
}

function controllerGroup(kind: ControllerKind): string {
  if (kind === "CronJob" || kind === "Job") return "batch";
  return kind === "ReplicationController" ? "" : "apps";
}

/** What decoding an object gave. An object never changes, so that the next world with it need not decode it again. */
interface Decoded {
  readonly namespace: string;
  readonly findings: Findings;
  readonly put: (draft: Draft) => void;
}

const DECODED = new WeakMap<Document, Decoded>();

/** Decodes an object; what it finds goes to `findings`. Returns what adds it to the draft, unless it has an error. */
function decode(
  document: Document,
  namespace: string,
  { read, many }: Decoding,
  samples: PodSamples,
  findings: Findings,
): Decoded["put"] | undefined {
  if (many === true) {
    const { errors } = findings;
    const put = read(Cursor.of(document, findings), namespace, samples);
    return findings.errors === errors ? put : undefined;
  }
  let known = DECODED.get(document);
  if (known?.namespace !== namespace) {
    const own = new Findings();
    known = { namespace, findings: own, put: read(Cursor.of(document, own), namespace, samples) };
    DECODED.set(document, known);
  }
  for (const finding of known.findings.all) findings.report(finding);
  return known.findings.errors === 0 ? known.put : undefined;
}

type Decoding = Pick<Reader, "read" | "many">;

/** By `group/Kind`. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [
    "/Namespace",
    {
      versions: ["v1"],
      cluster: true,
      read: reading(decodeNamespace, (draft, it) => draft.namespaces.set(it.name, it)),
    },
  ],
  ["/Node", { versions: ["v1"], cluster: true, read: reading(decodeNode, (draft, it) => draft.nodes.push(it)) }],
  [
    "cilium.io/CiliumNode",
    { versions: ["v2"], cluster: true, read: reading(decodeCiliumNode, (draft, it) => draft.ciliumNodes.push(it)) },
  ],
  ["/Pod", { versions: ["v1"], many: true, read: reading(decodePod, (draft, it) => draft.pods.push(it)) }],
  ...CONTROLLER_KINDS.map((kind): [string, Reader] => [
    `${controllerGroup(kind)}/${kind}`,
    { ...controllerVersions(kind), read: controllerReader(kind) },
  ]),
  ...(["Deployment", "DaemonSet", "ReplicaSet"] as const).map((kind): [string, Reader] => [
    `extensions/${kind}`,
    { versions: [], former: ["v1beta1"], read: controllerReader(kind) },
  ]),
  ["/Service", { versions: ["v1"], read: reading(decodeService, (draft, it) => draft.services.push(it)) }],
  ["/Endpoints", { versions: ["v1"], read: reading(decodeEndpoints, (draft, it) => draft.endpoints.push(it)) }],
  [
    "discovery.k8s.io/EndpointSlice",
    {
      versions: ["v1"],
      former: ["v1beta1"],
      read: reading(decodeEndpointSlice, (draft, it) => draft.endpoints.push(it)),
    },
  ],
  [
    "networking.k8s.io/Ingress",
    { versions: ["v1"], read: reading(decodeIngress, (draft, it) => draft.ingresses.push(it)) },
  ],
  [
    "networking.k8s.io/IngressClass",
    {
      versions: ["v1"],
      former: ["v1beta1"],
      cluster: true,
      read: reading(decodeIngressClass, (draft, it) => draft.ingressClasses.push(it)),
    },
  ],
  [
    "networking.k8s.io/ServiceCIDR",
    {
      versions: ["v1", "v1beta1"],
      cluster: true,
      read: reading(decodeServiceCIDR, (draft, it) => draft.serviceCIDRs.push(...it)),
    },
  ],
  [
    `${GATEWAY_GROUP}/GatewayClass`,
    {
      versions: GATEWAY_VERSIONS,
      cluster: true,
      read: reading(decodeGatewayClass, (draft, it) => draft.gatewayClasses.push(it)),
    },
  ],
  [
    `${GATEWAY_GROUP}/Gateway`,
    { versions: GATEWAY_VERSIONS, read: reading(decodeGateway, (draft, it) => draft.gateways.push(it)) },
  ],
  ...ROUTE_KINDS.map((kind): [string, Reader] => [
    `${GATEWAY_GROUP}/${kind}`,
    { versions: GATEWAY_VERSIONS, read: routeReader(kind) },
  ]),
  [
    `${GATEWAY_GROUP}/ReferenceGrant`,
    {
      versions: GATEWAY_VERSIONS,
      read: reading(decodeReferenceGrant, (draft, it) => draft.referenceGrants.push(it)),
    },
  ],
  [
    "cilium.io/CiliumCIDRGroup",
    {
      versions: ["v2", "v2alpha1"],
      cluster: true,
      read: reading(decodeCidrGroup, (draft, it) => draft.cidrGroups.set(it.name, it)),
    },
  ],
]);

/** Kinds that are read or listed. */
const NAMED_KINDS: readonly string[] = [...READERS.keys(), ...FOREIGN_KINDS];

const CILIUM_CONFIG: Decoding = {
  read: reading(decodeCiliumConfig, (draft, it) => {
    draft.ciliumConfig = it;
  }),
};

/** What objects of a kind are to the builder. */
interface KindStanding {
  /** `group Kind`. */
  readonly name: string;
  /** A dialect enforces it. */
  readonly isPolicy: boolean;
  readonly reader: Reader | undefined;
}

// ── the builder ────────────────────────────────────────────────────────────────────────────────────────────────────

/** What each object turns out to be, one at a time. */
class Builder {
  private readonly options: WorldOptions;
  private readonly defaultNamespace: string;
  private readonly findings = new Findings();
  private readonly draft = new Draft();
  private readonly duplicates = new Duplicates();
  private readonly samples = new PodSamples();
  /** By apiVersion and kind. */
  private readonly standings = new Map<string, Map<string, KindStanding>>();
  /** Namespaces in which the input has objects. */
  private readonly mentioned = new Set<string>();
  private readonly foreign: ForeignPolicy[] = [];
  private readonly makers: { readonly maker: PodMaker; readonly document: Document }[] = [];
  private understood = 0;
  private readonly irrelevant = new Map<string, number>();
  private readonly refused: Document[] = [];
  /** What is said once a kind. */
  private readonly once = new Map<string, Saying>();

  constructor(options: WorldOptions) {
    this.options = options;
    this.defaultNamespace = options.defaultNamespace ?? "default";
  }

  add(document: Document): void {
    const { apiVersion, kind } = document;
    const namespace = document.namespace ?? this.defaultNamespace;
    const { name, isPolicy, reader } = this.standingOf(apiVersion, kind);
    if (isPolicy) {
      this.addPolicy(document, name, isClusterPolicy(kind) ? undefined : namespace);
      return;
    }
    if (reader !== undefined && this.isServed(document, reader)) {
      this.read(document, name, reader.cluster === true ? undefined : namespace, reader);
      return;
    }
    if (apiVersion === "v1" && kind === "ConfigMap" && isCiliumConfig(namespace, document.name)) {
      this.read(document, name, namespace, CILIUM_CONFIG);
      return;
    }
    if (isForeign(apiVersion, kind)) {
      this.addForeign(document, name, isClusterPolicy(kind) ? undefined : namespace);
      return;
    }
    this.setAside(document);
  }

  private standingOf(apiVersion: string, kind: string): KindStanding {
    let byKind = this.standings.get(apiVersion);
    if (byKind === undefined) {
      byKind = new Map();
      this.standings.set(apiVersion, byKind);
    }
    let standing = byKind.get(kind);
    if (standing === undefined) {
      const group = groupOf(apiVersion);
      const isPolicy = this.options.policyKinds?.(apiVersion, kind) === true;
      standing = { name: `${group} ${kind}`, isPolicy, reader: READERS.get(`${group}/${kind}`) };
      byKind.set(kind, standing);
    }
    return standing;
  }

  /** Reads an object that belongs to the world; `namespace` is absent for kinds of the whole cluster. */
  private read(document: Document, kind: string, namespace: string | undefined, decoding: Decoding): void {
    if (!this.duplicates.admit(document, kind, namespace, this.findings)) {
      this.refused.push(document);
      return;
    }
    const put = decode(document, namespace ?? this.defaultNamespace, decoding, this.samples, this.findings);
    if (put === undefined) {
      this.refused.push(document);
      return;
    }
    put(this.draft);
    this.understood++;
    if (namespace !== undefined) this.mentioned.add(namespace);
  }

  /** A policy that a dialect enforces: its content is the dialect's. */
  private addPolicy(document: Document, kind: string, namespace: string | undefined): void {
    if (!this.duplicates.admit(document, kind, namespace, this.findings)) {
      this.refused.push(document);
      return;
    }
    this.understood++;
    if (namespace !== undefined) this.mentioned.add(namespace);
  }

  private addForeign(document: Document, kind: string, namespace: string | undefined): void {
    if (!this.duplicates.admit(document, kind, namespace, this.findings)) {
      this.refused.push(document);
      return;
    }
    this.understood++;
    if (namespace !== undefined) this.mentioned.add(namespace);
    // Another system's syntax is not checked here: what cannot be read only makes the scope wider.
    this.foreign.push(decodeForeign(Cursor.of(document, new Findings()), namespace ?? this.defaultNamespace));
    this.say("BH307", document);
  }

  /** An object that nothing reads. */
  private setAside(document: Document): void {
    const { apiVersion, kind } = document;
    this.irrelevant.set(kind, (this.irrelevant.get(kind) ?? 0) + 1);
    if (isOptionalPolicy(apiVersion, kind)) {
      this.say("BH311", document);
      return;
    }
    if (apiVersion === "v1" && kind === "ConfigMap") {
      if (document.name === CILIUM_CONFIG_NAME) this.say("BH316", document);
      return;
    }
    const standing = standingOf(apiVersion, kind, NAMED_KINDS);
    const namespace = document.namespace ?? this.defaultNamespace;
    const maker = isCustom(apiVersion)
      ? podMakerOf(Cursor.of(document, new Findings()), apiVersion, kind, namespace)
      : undefined;
    if (maker !== undefined) this.makers.push({ maker, document });
    if (standing.kind === "unknown") this.say("BH308", document);
    if (standing.kind === "unserved") this.say("BH309", document, standing.meant);
  }

  /** Whether a version of a kind has the shape that is read. Says so where clusters serve it no longer. */
  private isServed(document: Document, reader: Reader): boolean {
    const version = versionOf(document.apiVersion);
    if (reader.versions.includes(version)) return true;
    if (reader.former?.includes(version) !== true) return false;
    this.say("BH315", document);
    return true;
  }

  private say(code: OnceCode, document: Document, meant?: string): void {
    const { apiVersion, kind, namespace, name } = document;
    const key = JSON.stringify([code, apiVersion, kind]);
    let saying = this.once.get(key);
    if (saying === undefined) {
      saying = { code, kind: `${apiVersion} ${kind}`, meant, tally: new Tally() };
      this.once.set(key, saying);
    }
    saying.tally.add(namespace === undefined ? name : `${namespace}/${name}`, document, ["kind"]);
  }

  finish(): BuiltWorld {
    const { draft } = this;
    const taken = findTaken(draft.services, this.findings);
    const services = draft.services.filter((service) => !taken.has(service));
    for (const service of taken) if (service.document !== undefined) this.refused.push(service.document);
    const apiServerAddresses = draft.endpoints.flatMap(({ endpoints }) =>
      endpoints
        .filter(({ namespace, service }) => namespace === "default" && service === "kubernetes")
        .flatMap(({ addresses }) => addresses),
    );
    const nodes = joinNodes(draft.nodes, draft.ciliumNodes, mentionsOf(draft), apiServerAddresses);
    const table = new WorkloadTable(
      draft.pods,
      draft.controllers,
      { nodeAddresses: (name) => nodes.internalAddresses(name), nodeCount: draft.nodes.length },
      this.findings,
    );
    const { workloads } = table;
    const namespaces = new Map(draft.namespaces);
    for (const name of this.mentioned) if (!namespaces.has(name)) namespaces.set(name, synthesiseNamespace(name));
    const podMakers = this.makers.filter(({ maker }) => !workloads.some((workload) => isMadeBy(maker, workload)));
    for (const { document } of podMakers) this.say("BH318", document);
    for (const { code, kind, meant, tally } of this.once.values())
      tally.report(this.findings, code, (count, names) => ONCE[code](kind, objects(count, names), meant));
    const world: World = {
      defaultNamespace: this.defaultNamespace,
      namespaces,
      nodes: nodes.all,
      workloads: placed(workloads, this.options.placement, nodes.all),
      services,
      serviceEndpoints: handWritten(draft.endpoints, services),
      ingresses: draft.ingresses,
      ingressClasses: draft.ingressClasses,
      gatewayClasses: draft.gatewayClasses,
      gateways: draft.gateways,
      routes: draft.routes,
      referenceGrants: draft.referenceGrants,
      cidrGroups: draft.cidrGroups,
      apiServerAddresses,
      addressPlan: planAddresses(this.options, nodes.all, draft.ciliumConfig, addressSetOf(draft.serviceCIDRs)),
      ...(draft.ciliumConfig === undefined ? {} : { ciliumConfig: draft.ciliumConfig }),
      foreign: this.foreign,
      podMakers: podMakers.map(({ maker }) => maker),
    };
    const lasting = [...this.findings.all];
    checkLinks(world, this.findings);
    const isFixed = this.makers.length > 0 || world.workloads !== workloads;
    return {
      world,
      live: new LiveWorld({
        world,
        table,
        samples: this.samples,
        nodes,
        findings: this.findings.all,
        lasting,
        isFixed,
      }),
      diagnostics: this.findings.all,
      account: {
        understood: this.understood - taken.size,
        irrelevant: this.irrelevant,
        refused: this.refused,
      },
    };
  }
}

/** Workloads whose pods stand where the placement says. */
function placed(
  workloads: readonly Workload[],
  placement: ReadonlyMap<string, string> | undefined,
  nodes: readonly Node[],
): readonly Workload[] {
  if (placement === undefined || placement.size === 0) return workloads;
  const known = new Set(nodes.map(({ name }) => name));
  return workloads.map((workload) => ({
    ...workload,
    pods: workload.pods.map((pod) => {
      const node = placement.get(`${workload.namespace}/${pod.name}`);
      return node === undefined || !known.has(node) ? pod : { ...pod, node };
    }),
  }));
}

function* mentionsOf(draft: Draft): Iterable<NodeMention> {
  for (const { node, telling, hostAddresses, namespace } of draft.pods)
    if (node !== undefined)
      yield {
        name: node,
        addresses: hostAddresses,
        apiServer: telling.shape.hostNetwork && isApiServer(namespace, telling.shape.labels),
      };
  for (const { node } of draft.controllers) if (node !== undefined) yield { name: node, addresses: [] };
}

// ── what is said once a kind ───────────────────────────────────────────────────────────────────────────────────────

interface Saying {
  readonly code: OnceCode;
  readonly kind: string;
  readonly meant: string | undefined;
  readonly tally: Tally;
}

const objects = (count: number, names: string): string => `${count === 1 ? "1 object" : `${count} objects`}, ${names}`;

const ONCE = {
  BH307: (kind, which) => `${kind} is not decided here; what it touches is unsure: ${which}`,
  BH308: (kind, which) => `${kind} is not known and not read: ${which}`,
  BH309: (kind, which, meant) =>
    meant === undefined
      ? `no cluster serves ${kind}; it is not read: ${which}`
      : `no cluster serves ${kind}; it is not read, did you mean ${meant}? ${which}`,
  BH311: (kind, which) => `${kind} is not enforced by this network and has no effect: ${which}`,
  BH315: (kind, which) => `clusters no longer serve ${kind}; it is read as its current version: ${which}`,
  BH316: (kind, which) => `${kind} of another namespace than kube-system does not configure Cilium: ${which}`,
  BH318: (kind, which) => `${kind} makes pods that are not in the input, and no answer speaks of them: ${which}`,
} as const satisfies Readonly<Record<string, (kind: string, which: string, meant: string | undefined) => string>>;

type OnceCode = keyof typeof ONCE;
