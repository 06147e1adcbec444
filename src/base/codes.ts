/**
 * Every code that a message may carry, with how grave it is and what helps.
 *
 * One table feeds the terminal, SARIF, `bulkhead explain` and the documentation. A code never changes its meaning and is
 * never used again for another. Ranges: BH001–BH099 reading the input, BH100–BH199 policies that are legal but deserve a
 * word, BH200–BH299 objects that a cluster would refuse, BH300–BH399 the world that the objects describe,
 * BH400–BH449 the cloud's network.
 */

/** How grave a finding is: an `error` forbids an answer, a `warning` goes with one, an `info` only explains. */
export type Severity = "error" | "warning" | "info";

/** What is fixed about a code; the message itself is written where the finding is made. */
export interface CodeEntry {
  readonly severity: Severity;
  /** The finding in a few words, without the particulars. */
  readonly title: string;
  /** What the user can do about it. */
  readonly help: string;
}

export const CODES = {
  // ── BH001–BH019: one document ────────────────────────────────────────────────────────────────────────────────────
  BH001: {
    severity: "error",
    title: "text that is not YAML",
    help: "Correct the YAML at this place; indentation uses spaces, never tabs.",
  },
  BH002: {
    severity: "error",
    title: "key written twice",
    help: "Keep one of the two; a cluster would keep one and drop the other without a word.",
  },
  BH003: {
    severity: "error",
    title: "document that is not an object",
    help: "A manifest is a mapping with apiVersion, kind and metadata.",
  },
  BH004: {
    severity: "error",
    title: "document without apiVersion",
    help: "Every Kubernetes object starts with apiVersion and kind; keep other YAML files out of the input.",
  },
  BH005: {
    severity: "error",
    title: "document without kind",
    help: "Every Kubernetes object starts with apiVersion and kind; keep other YAML files out of the input.",
  },
  BH006: {
    severity: "error",
    title: "object without a name",
    help: "Set metadata.name to a string.",
  },
  BH007: {
    severity: "error",
    title: "template that is not rendered",
    help: "Render it first and read the result: `helm template … | bulkhead reach -f -`.",
  },
  BH008: {
    severity: "error",
    title: "document that grows or nests beyond all measure",
    help: "Write the aliases out, or nest less deeply.",
  },
  BH009: {
    severity: "error",
    title: "value that JSON cannot express",
    help: "Objects reach the cluster as JSON: keys are text, numbers are finite.",
  },
  BH010: {
    severity: "error",
    title: "text that is not JSON",
    help: "Correct the JSON at this place.",
  },
  BH011: {
    severity: "error",
    title: "list whose items are not a list",
    help: "`items` holds the objects, one an entry.",
  },
  BH012: {
    severity: "warning",
    title: "source without objects",
    help: "Nothing was read from it; is it the file that was meant?",
  },
  BH013: {
    severity: "error",
    title: "expectation that cannot be run",
    help: "Name endpoints as namespace/name or namespace/Kind/name, or one of internet, host, remote-node, ip:…, cidr:….",
  },
  BH014: {
    severity: "warning",
    title: "bare y or n",
    help: "Put it in quotes: Kubernetes' loader reads a bare y or n as true or false, and a cluster then refuses it as a name.",
  },
  // ── BH020–BH039: files ───────────────────────────────────────────────────────────────────────────────────────────
  BH020: {
    severity: "error",
    title: "file that does not exist",
    help: "Check the path; it is relative to the working directory.",
  },
  BH021: {
    severity: "error",
    title: "file that cannot be read",
    help: "Check its permissions and that it is a regular file.",
  },
  BH022: {
    severity: "error",
    title: "folder without manifests",
    help: "A folder means its own *.yaml, *.yml and *.json; add -R for the folders below.",
  },
  BH023: {
    severity: "error",
    title: "file that is not text",
    help: "Manifests are UTF-8 text.",
  },
  BH024: {
    severity: "error",
    title: "file beyond the size that can be read",
    help: "Split it: a document, a List and a JSON text may hold 256 MiB, a file 2 GiB.",
  },
  BH025: {
    severity: "error",
    title: "no input",
    help: "Name files or folders, or - for standard input.",
  },
  BH026: {
    severity: "warning",
    title: "file read once although named twice",
    help: "Name it once.",
  },
  // ── BH040–BH049: which network reads it ──────────────────────────────────────────────────────────────────────────
  BH040: {
    severity: "error",
    title: "dialect that does not exist",
    help: "Name one of the dialects listed.",
  },
  BH041: {
    severity: "error",
    title: "input of two networks",
    help: "Choose the network that the cluster runs with --dialect; what belongs to the other makes its pairs unsure.",
  },
  BH042: {
    severity: "error",
    title: "input of a network that is not decided yet",
    help: "Leave its objects out, or choose another dialect; they then make the pairs that they touch unsure.",
  },
  // ── BH100–BH199: policies that are legal but deserve a word ──────────────────────────────────────────────────────
  // BH101–BH119: what a policy means, and where networks read it differently
  BH101: {
    severity: "warning",
    title: "rules of a direction that policyTypes leaves out",
    help: "Add the direction to policyTypes, or remove its rules.",
  },
  BH102: {
    severity: "warning",
    title: "namespace selector that Cilium reads more widely",
    help: "Add a positive term, such as `kubernetes.io/metadata.name` Exists.",
  },
  BH103: {
    severity: "info",
    title: "ipBlock that covers addresses of the cluster",
    help: "Select pods by podSelector and namespaceSelector; keep ipBlock for addresses outside.",
  },
  BH104: {
    severity: "info",
    title: "port name in an egress rule that networks resolve differently",
    help: "Write the number, or select the destination pods in `to`.",
  },
  BH105: {
    severity: "info",
    title: "policy kind that few networks enforce",
    help: "Check that the cluster's network enforces it; where it does not, the object is without effect.",
  },
  BH106: {
    severity: "warning",
    title: "CIDR that a strict API server refuses",
    help: "Write the network's own address, without leading zeros.",
  },
  BH107: {
    severity: "warning",
    title: "port name beside peers that have no port names",
    help: "Write the number, or put the peers in a rule of their own.",
  },
  BH108: {
    severity: "warning",
    title: "domain names in a rule that does not accept",
    help: "Domain names are defined for Accept alone: accept the names, then deny the rest.",
  },
  BH109: {
    severity: "info",
    title: "field of an experimental or withdrawn API",
    help: "The cluster needs the API version that has the field; any other drops it.",
  },
  BH110: {
    severity: "warning",
    title: "port range that holds no port",
    help: "Write the lower port first.",
  },
  // BH120–BH139: what Cilium makes of a policy or a setting
  BH120: {
    severity: "warning",
    title: "namespace in a subject that Cilium overwrites",
    help: "A CiliumNetworkPolicy applies in its own namespace; move it, or use a CiliumClusterwideNetworkPolicy.",
  },
  BH121: {
    severity: "warning",
    title: "toServices that matches no Service",
    help: "Name a Service that exists; beside toPorts such an entry may allow the ports to everybody.",
  },
  BH122: {
    severity: "warning",
    title: "toServices in a deny entry",
    help: "Cilium does not resolve Services in egressDeny; name the pods with toEndpoints or the addresses with toCIDR.",
  },
  BH123: {
    severity: "warning",
    title: "CIDR group that the input does not have",
    help: "Add the CiliumCIDRGroup to the input; until then whom the rule means is not known.",
  },
  BH124: {
    severity: "warning",
    title: "policy that early patch releases read more widely",
    help: "Run a patch release that has the correction; the answer here is that of the corrected one.",
  },
  BH125: {
    severity: "warning",
    title: "policy kind that the settings switch off",
    help: "Change the setting in cilium-config, or remove the policy.",
  },
  BH126: {
    severity: "warning",
    title: "setting that is not understood",
    help: "Correct the value in cilium-config; the agent may not start with it.",
  },
  BH127: {
    severity: "warning",
    title: "value that matches nothing",
    help: "Write a value that occurs.",
  },
  BH128: {
    severity: "warning",
    title: "selector on a label that Cilium does not keep",
    help: "Select by another label, or include this one with the setting `labels` of cilium-config.",
  },
  // BH130–BH139: policies beside the world of the input
  BH130: {
    severity: "warning",
    title: "policy that selects nothing",
    help: "Compare its selector with the labels of the pods, and its namespace with theirs.",
  },
  // BH140–BH189: findings of `lint`; an error among them fails the command and forbids no other answer
  BH140: {
    severity: "warning",
    title: "peer that selects nothing",
    help: "Compare its labels with those of the pods; remove it if they are gone for good.",
  },
  BH141: {
    severity: "warning",
    title: "peer sought in the wrong namespace",
    help: "Name the namespace in the peer: without it, only the policy's own namespace is meant.",
  },
  BH142: {
    severity: "warning",
    title: "rule whose port nobody listens on",
    help: "Write the port of the container, or declare it under ports.",
  },
  BH143: {
    severity: "warning",
    title: "port of the Service where that of the container is meant",
    help: "Write the target port: policies see the packet after the Service is translated.",
  },
  BH144: {
    severity: "warning",
    title: "port name that resolves to no number",
    help: "Declare the name under ports of the selected pods, with one number, or write the number.",
  },
  BH145: {
    severity: "warning",
    title: "rule without effect",
    help: "Remove it: the answer stays the same for every endpoint of the input.",
  },
  BH146: {
    severity: "warning",
    title: "rule that a deny takes back whole",
    help: "Remove the rule, or narrow the deny.",
  },
  BH147: {
    severity: "warning",
    title: "HTTP rule that a plain rule lifts",
    help: "Give the plain rule HTTP rules too, or remove it: what one rule allows, no other takes back.",
  },
  BH148: {
    severity: "warning",
    title: "egress closed, and DNS with it",
    help: "Allow UDP and TCP 53 to the cluster's DNS pods.",
  },
  BH149: {
    severity: "error",
    title: "DNS names without a DNS rule",
    help: "Add a rule to the DNS server with `rules.dns`: without it no address is ever learned.",
  },
  BH150: {
    severity: "warning",
    title: "empty entry that denies everything",
    help: "Write `fromEntities: [all]` to allow everything; leave the entry out to say nothing.",
  },
  BH151: {
    severity: "warning",
    title: "empty list that says nothing",
    help: "Leave it out, or write one empty entry to close the direction.",
  },
  BH152: {
    severity: "warning",
    title: "empty list of peers that selects nobody",
    help: "Leave the key out to mean everybody, or name somebody.",
  },
  BH153: {
    severity: "info",
    title: "ports open to everybody",
    help: "Name peers beside the ports; without them the whole internet is meant too.",
  },
  BH154: {
    severity: "warning",
    title: "denies that close the whole direction",
    help: "Add `enableDefaultDeny` with the direction set to false, or allow what is needed.",
  },
  BH155: {
    severity: "warning",
    title: "CIDR that covers addresses of the cluster",
    help: "Select pods by label; Cilium matches address rules against what is outside alone.",
  },
  BH156: {
    severity: "info",
    title: "`world` that does not include the cluster",
    help: "Add `cluster` or the pods that are meant: `world` and 0.0.0.0/0 are what is outside.",
  },
  BH157: {
    severity: "info",
    title: "HTTP path matched as a whole",
    help: "Write `/path(/.*)?(\\?.*)?`: the pattern must match the whole path, query included.",
  },
  BH158: {
    severity: "error",
    title: "header rule that never matches",
    help: "Put a space after the colon: `X-Role: ops`.",
  },
  BH159: {
    severity: "warning",
    title: "HTTP pattern that matches something else",
    help: "Methods are upper-case; a dot in a host is written `\\.`.",
  },
  BH160: {
    severity: "error",
    title: "Ingress or Gateway whose way a policy closes",
    help: "Allow the controller in the policy, by its pods or by the entity `ingress`.",
  },
  BH161: {
    severity: "warning",
    title: "Service open to the outside whose way a policy closes",
    help: "Allow `world` or the ranges of the clients, or make the Service a ClusterIP.",
  },
  BH162: {
    severity: "error",
    title: "probe of the kubelet that a policy closes",
    help: "Allow the entity `host` on the port of the probe.",
  },
  BH163: {
    severity: "warning",
    title: "host-network pod that a policy seems to select",
    help: "Policies on pods do not apply to it: protect its node, or give it a network of its own.",
  },
  BH164: {
    severity: "info",
    title: "namespace without default deny",
    help: "Add a policy that selects every pod and closes ingress.",
  },
  BH165: {
    severity: "warning",
    title: "application without a policy",
    help: "Select it by a policy, or say why not.",
  },
  BH166: {
    severity: "warning",
    title: "allow that the other end does not share",
    help: "Allow the connection at both ends, or remove the half that is there.",
  },
  BH167: {
    severity: "warning",
    title: "deprecated field",
    help: "Replace it before the release that refuses it.",
  },
  BH168: {
    severity: "warning",
    title: "policy map close to its limit",
    help: "Allow by fewer, wider selectors and ports, or raise bpf-policy-map-max.",
  },
  BH169: {
    severity: "info",
    title: "port range that costs many entries",
    help: "Let ranges begin and end at powers of two.",
  },
  BH170: {
    severity: "error",
    title: "rules that cannot be merged",
    help: "Give one selector and port one kind of application rule, TLS context and listener.",
  },
  BH171: {
    severity: "warning",
    title: "node policy without host firewall",
    help: "Switch on `enable-host-firewall`, or remove the policy.",
  },
  BH172: {
    severity: "warning",
    title: "DNS rule on a port where no DNS server listens",
    help: "Write the port of the server's container, not of its Service.",
  },
  BH173: {
    severity: "info",
    title: "ping denied where ports are allowed",
    help: "Add `icmps` where ping or path MTU discovery is needed.",
  },
  BH174: {
    severity: "info",
    title: "peer that means the local cluster alone",
    help: "Name the cluster by the label io.cilium.k8s.policy.cluster.",
  },
  BH175: {
    severity: "warning",
    title: "DNS names that mean every name",
    help: "Name what is needed; every name that is looked up becomes an identity.",
  },
  BH176: {
    severity: "warning",
    title: "ICMP type 0 that means every type",
    help: "Write `EchoRequest` for ping; answers pass without a rule.",
  },
  BH177: {
    severity: "info",
    title: "look-ups by the search list are refused",
    help: "Let `*.*.svc.cluster.local` and longer names be asked for, or set ndots in the pod's dnsConfig.",
  },
  BH180: {
    severity: "warning",
    title: "suppression without a reason",
    help: "Write `CODE: reason`; findings without a reason stay.",
  },
  BH181: {
    severity: "info",
    title: "suppression of something that is not found",
    help: "Remove it.",
  },
  // BH190–BH199: findings of `verify`
  BH190: {
    severity: "error",
    title: "expectation that does not hold",
    help: "Change the policy that is named, or the expectation.",
  },
  BH191: {
    severity: "error",
    title: "connection that is allowed and not expected",
    help: "Add an assertion that expects it, or close it.",
  },
  BH192: {
    severity: "error",
    title: "segregation that is not kept",
    help: "Close the flow with a policy, or allow it in the Segregation file.",
  },
  // ── BH200–BH299: objects that a cluster would refuse ─────────────────────────────────────────────────────────────
  BH201: {
    severity: "error",
    title: "unknown field",
    help: "Remove the field or correct its spelling; a cluster would refuse it or drop it.",
  },
  BH202: {
    severity: "error",
    title: "missing field",
    help: "The field is required.",
  },
  BH203: {
    severity: "error",
    title: "value of the wrong type",
    help: "Write a value of the expected type.",
  },
  BH204: {
    severity: "error",
    title: "number out of range",
    help: "Write a number within the bounds.",
  },
  BH205: {
    severity: "error",
    title: "value that is not one of the allowed ones",
    help: "Write one of the allowed values; capitals count.",
  },
  BH206: {
    severity: "error",
    title: "value that the API server refuses",
    help: "Correct the value; the message gives the API server's reason.",
  },
  BH207: {
    severity: "error",
    title: "field that may not be set here",
    help: "Remove one of the fields that exclude each other.",
  },
  BH208: {
    severity: "error",
    title: "too many or too few members",
    help: "Keep to the number that the API allows.",
  },
  // BH210–BH239: Cilium policies that the API server or the agent refuses
  BH210: {
    severity: "error",
    title: "rule without exactly one subject",
    help: "Give the rule endpointSelector or nodeSelector; `endpointSelector: {}` means all pods.",
  },
  BH211: {
    severity: "error",
    title: "rule without any entry",
    help: "Add an entry; `ingress: [{}]` denies all ingress.",
  },
  BH212: {
    severity: "error",
    title: "several kinds of peer in one entry",
    help: "Give each kind an entry of its own; entries are OR-ed.",
  },
  BH213: {
    severity: "error",
    title: "ICMP types beside ports in one entry",
    help: "Give each an entry of its own; entries are OR-ed.",
  },
  BH214: {
    severity: "error",
    title: "field that the settings switch off",
    help: "Change the setting in cilium-config, or remove the field.",
  },
  BH215: {
    severity: "error",
    title: "policy without a rule",
    help: "Write the rule under spec, or several under specs.",
  },
  BH216: {
    severity: "error",
    title: "node selector in a namespaced policy",
    help: "Use a CiliumClusterwideNetworkPolicy.",
  },
  BH217: {
    severity: "error",
    title: "CIDR that Cilium refuses",
    help: "Write a prefix such as 10.0.0.0/8; exceptions lie inside it.",
  },
  BH218: {
    severity: "error",
    title: "port that Cilium refuses",
    help: "Write a number from 0 to 65535 in quotes, or a name of up to 15 letters, digits and hyphens.",
  },
  BH219: {
    severity: "error",
    title: "application rules on ports that cannot carry them",
    help: "Application rules need TCP and a port other than 0; DNS rules also take UDP and ANY.",
  },
  BH220: {
    severity: "error",
    title: "DNS rules where they cannot stand",
    help: "DNS rules stand in egress, with single ports.",
  },
  BH221: {
    severity: "error",
    title: "not exactly one application protocol",
    help: "Give each protocol an item of toPorts of its own.",
  },
  BH222: {
    severity: "error",
    title: "server names that Cilium refuses",
    help: "Give server names an item of toPorts of their own, or terminate TLS.",
  },
  BH223: {
    severity: "error",
    title: "listener that Cilium refuses",
    help: "Listeners stand in egress, without application rules.",
  },
  BH224: {
    severity: "error",
    title: "application rules in a policy for nodes",
    help: "Policies for nodes take DNS rules at egress and no others.",
  },
  BH225: {
    severity: "error",
    title: "HTTP rule that Cilium refuses",
    help: "Patterns are RE2: no look-around, no back-references.",
  },
  BH226: {
    severity: "error",
    title: "DNS name or pattern that Cilium refuses",
    help: "Write labels parted by single dots; `*` only in matchPattern.",
  },
  BH227: {
    severity: "error",
    title: "field that this release no longer has",
    help: "Put the requirement into each fromEndpoints or toEndpoints item.",
  },
  BH228: {
    severity: "error",
    title: "ICMP type that does not exist",
    help: "Write a number from 0 to 255, or a name such as EchoRequest.",
  },
  BH229: {
    severity: "error",
    title: "rule with which no endpoint's policy can be computed",
    help: "A clusterwide policy takes a listener of a CiliumClusterwideEnvoyConfig.",
  },
  BH230: {
    severity: "warning",
    title: "pattern too large to be decided",
    help: "Write several shorter patterns; the network may take it, and here its requests are unsure.",
  },
  BH240: {
    severity: "error",
    title: "label that breaks the rules",
    help: "A key is an optional DNS prefix with a slash and up to 63 characters; a value up to 63 characters or empty.",
  },
  BH241: {
    severity: "error",
    title: "port name that breaks the rules",
    help: "Write up to 15 of a-z, 0-9 and hyphens, with at least one letter.",
  },
  BH242: {
    severity: "error",
    title: "controller whose selector does not match its own pods",
    help: "Put every label of spec.selector into spec.template.metadata.labels.",
  },
  BH243: {
    severity: "error",
    title: "object written twice",
    help: "Keep one of the two; a cluster would keep the one applied last.",
  },
  BH244: {
    severity: "error",
    title: "Service that a cluster would refuse",
    help: "Correct the field; the message gives the API server's reason.",
  },
  BH245: {
    severity: "error",
    title: "Ingress that a cluster would refuse",
    help: "Correct the field; the message gives the API server's reason.",
  },
  BH246: {
    severity: "error",
    title: "text that is no address or prefix",
    help: "Write an address such as 10.9.8.7 or 2001:db8::1, a prefix such as 10.9.8.0/24.",
  },
  BH247: {
    severity: "error",
    title: "Gateway API object that a cluster would refuse",
    help: "Correct the field; the message gives the API server's reason.",
  },
  BH248: {
    severity: "error",
    title: "label selector that breaks the rules",
    help: "In and NotIn take values, Exists and DoesNotExist take none.",
  },
  BH249: {
    severity: "error",
    title: "pod that a cluster would refuse",
    help: "Correct the field; the message gives the API server's reason.",
  },
  // ── BH300–BH399: the world that the objects describe ─────────────────────────────────────────────────────────────
  BH301: {
    severity: "info",
    title: "workload without a pod at present",
    help: "It is answered for as if it had one.",
  },
  BH302: {
    severity: "info",
    title: "pod that has ended",
    help: "It has no address any more; it is neither source nor target.",
  },
  BH303: {
    severity: "warning",
    title: "controller without a selector",
    help: "A cluster would refuse it; add spec.selector with the labels of the template.",
  },
  BH304: {
    severity: "warning",
    title: "Service that selects no pod",
    help: "Compare its selector with the labels of the pods in its namespace.",
  },
  BH305: {
    severity: "warning",
    title: "target port that no selected pod declares",
    help: "Declare the name under ports of the container, or write the number.",
  },
  BH306: {
    severity: "warning",
    title: "backend that does not exist",
    help: "Name a Service and a port of it that are in the input.",
  },
  BH307: {
    severity: "warning",
    title: "policy of another system",
    help: "What it touches is unsure, because nothing here decides it.",
  },
  BH308: {
    severity: "info",
    title: "kind that is not known",
    help: "It is counted and not read.",
  },
  BH309: {
    severity: "warning",
    title: "kind that no cluster serves",
    help: "Correct apiVersion or kind.",
  },
  BH310: {
    severity: "warning",
    title: "node port outside the default range",
    help: "A cluster takes it only with another --service-node-port-range.",
  },
  BH311: {
    severity: "warning",
    title: "policy that this network does not enforce",
    help: "It is without effect here; --dialect names another network.",
  },
  BH312: {
    severity: "warning",
    title: "label that the API server overwrites",
    help: "Remove the label; the API server sets it.",
  },
  BH313: {
    severity: "info",
    title: "Service without a selector and without endpoints",
    help: "Add its EndpointSlice to the input if the answer depends on it.",
  },
  BH314: {
    severity: "warning",
    title: "more pods than are told apart",
    help: "The first are told apart by name, the rest stand for each other.",
  },
  BH315: {
    severity: "warning",
    title: "version of an API that clusters no longer serve",
    help: "Write the current apiVersion.",
  },
  BH316: {
    severity: "warning",
    title: "setting that is not read",
    help: "Only the ConfigMap cilium-config of namespace kube-system configures Cilium.",
  },
  BH317: {
    severity: "warning",
    title: "empty mapping in place of a list",
    help: "Write [], or leave the field out; a cluster would refuse the mapping.",
  },
  BH318: {
    severity: "warning",
    title: "custom object whose pods are not in the input",
    help: "Add the workload or the pods that its operator makes, as the cluster has them.",
  },
  BH320: {
    severity: "warning",
    title: "route that hangs on no Gateway",
    help: "Compare its parentRefs, namespace and hostnames with the listeners of the Gateway.",
  },
  BH321: {
    severity: "warning",
    title: "backend of another namespace without a grant",
    help: "Put a ReferenceGrant into the namespace of the backend; until then requests get an error.",
  },
  BH322: {
    severity: "info",
    title: "Ingress or Gateway that nobody serves",
    help: "Add its class and controller to the input, or name the pods with --ingress-controller.",
  },
  BH323: {
    severity: "info",
    title: "Ingress or Gateway of which the controller is not known",
    help: "Add the controller's pods to the input, or name them with --ingress-controller.",
  },
  // ── BH400–BH419: what is read of a VPC ───────────────────────────────────────────────────────────────────────────
  BH400: {
    severity: "warning",
    title: "object of the cloud that the input does not have",
    help: "What depends on it is unsure; add it to the input if the answer matters.",
  },
  BH401: {
    severity: "warning",
    title: "resource that bears on traffic and is not read",
    help: "What it touches is unsure.",
  },
  BH402: {
    severity: "warning",
    title: "subnet with two network ACLs or route tables",
    help: "Keep one association; at deployment the last write wins.",
  },
  BH403: {
    severity: "error",
    title: "plan in a format that is not read",
    help: "Write it with `terraform show -json` of Terraform 0.12 or later; format_version must be 1.x.",
  },
  BH404: {
    severity: "warning",
    title: "plan that failed",
    help: "The plan may not hold everything; correct the error that Terraform reported and plan again.",
  },
  BH405: {
    severity: "warning",
    title: "answer of AWS that is cut short",
    help: "Collect it again without --max-items, so that every page is there.",
  },
  BH406: {
    severity: "warning",
    title: "security group rule without a peer",
    help: "Name a CIDR, a prefix list or a group; CloudFormation accepts the rule and adds nothing.",
  },
  BH407: {
    severity: "warning",
    title: "rules of one security group managed in two ways",
    help: "Keep either inline rules or resources of their own: each removes what the other wrote.",
  },
  BH408: {
    severity: "warning",
    title: "security group rule that is stale",
    help: "It names a group behind a peering that is gone and matches nothing; remove it.",
  },
  BH409: {
    severity: "error",
    title: "input of AWS that is not understood",
    help: "Give a plan of `terraform show -json`, a CloudFormation template, or the answers of `aws … describe-*`.",
  },
  // ── BH420–BH439: findings about a VPC ────────────────────────────────────────────────────────────────────────────
  BH420: {
    severity: "error",
    title: "security group open to the world on a port of administration",
    help: "Admit the addresses that administrate, or reach the machine through a session manager.",
  },
  BH421: {
    severity: "error",
    title: "network ACL without a way back",
    help: "ACLs are stateless: admit the client's ephemeral ports in the other direction.",
  },
  BH422: {
    severity: "warning",
    title: "rule that never matches",
    help: "Give an entry of an ACL a lower number than the one that covers it; name a group that something carries; or remove it.",
  },
  BH423: {
    severity: "warning",
    title: "allow for ephemeral ports that also opens service ports",
    help: "Give the denies of those ports a lower number.",
  },
  BH424: {
    severity: "error",
    title: "subnet called private with a way to the internet",
    help: "Remove the route to the internet gateway, or call the subnet public.",
  },
  BH425: {
    severity: "warning",
    title: "security group shared by two applications",
    help: "Whatever it admits to one it admits to the other: give each its own group.",
  },
  BH426: {
    severity: "warning",
    title: "load balancer in one zone",
    help: "An application load balancer needs subnets in two zones.",
  },
  BH427: {
    severity: "warning",
    title: "machines of two applications in one subnet",
    help: "No network ACL separates them: give each application subnets of its own, or separate by security groups.",
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;

/** A code of the table. */
export type Code = keyof typeof CODES;
