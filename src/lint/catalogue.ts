/**
 * What every finding of `lint` means: the page that `bulkhead explain` prints and `docs/findings.md` holds. Severity, title
 * and help are those of the one table of codes.
 */
import { CODES, type Code, type CodeEntry } from "../base/codes.ts";
import { READING_PAGES } from "./catalogue-reading.ts";
import type { Page } from "./page.ts";

export const PAGES: Readonly<Partial<Record<Code, Page>>> = {
  ...READING_PAGES,
  BH101: {
    explanation:
      "`policyTypes` says which directions a NetworkPolicy closes. Rules of a direction that it leaves out are not enforced by the specification, and Cilium enforces them all the same, so two clusters answer differently.",
    example: "policyTypes: [Ingress]\negress:\n  - to: [{podSelector: {matchLabels: {app: db}}}]",
    fix: "policyTypes: [Ingress, Egress]\negress:\n  - to: [{podSelector: {matchLabels: {app: db}}}]",
  },
  BH102: {
    explanation:
      "A selector of namespaces whose terms are all negative (`NotIn`, `DoesNotExist`) is also true of what has no namespace. Under Cilium that is the host and the world.",
    example: "namespaceSelector: {matchExpressions: [{key: team, operator: NotIn, values: [red]}]}",
    fix: "namespaceSelector:\n  matchExpressions:\n    - {key: team, operator: NotIn, values: [red]}\n    - {key: kubernetes.io/metadata.name, operator: Exists}",
  },
  BH128: {
    explanation:
      "Cilium keeps only labels that are relevant for security as identity. A selector on another key, such as `pod-template-hash`, matches no identity.",
    example: "fromEndpoints: [{matchLabels: {pod-template-hash: 5d4f}}]",
    fix: "fromEndpoints: [{matchLabels: {app: web}}]",
  },
  BH130: {
    explanation:
      "No endpoint of the input is governed by this policy. It protects nobody, and whoever wrote it believes that it does.",
    example: "podSelector: {matchLabels: {app: fronted}}",
    fix: "podSelector: {matchLabels: {app: frontend}}",
  },
  BH140: {
    explanation:
      "The peer names labels that no pod, namespace or node of the input carries, so the rule allows (or denies) nothing by it. Often a label was renamed and the policy was not.",
    example: "ingress:\n  - fromEndpoints: [{matchLabels: {app: fronted}}]",
    fix: "ingress:\n  - fromEndpoints: [{matchLabels: {app: frontend}}]",
  },
  BH141: {
    explanation:
      "A peer without a namespace means the policy's own namespace. Pods with these labels exist, and they are in another one.",
    example:
      "metadata: {namespace: pay}\nspec:\n  ingress:\n    - fromEndpoints: [{matchLabels: {app: web}}]     # web is in shop",
    fix: "metadata: {namespace: pay}\nspec:\n  ingress:\n    - fromEndpoints: [{matchLabels: {app: web, k8s:io.kubernetes.pod.namespace: shop}}]",
  },
  BH142: {
    explanation:
      "Every pod that the rule means declares its ports, and none of them is a port of the rule. Declared ports are what the manifest says; a container may listen on others.",
    example: "ports: [{port: 8081}]              # the container declares 8080",
    fix: "ports: [{port: 8080}]",
  },
  BH143: {
    explanation:
      "Policies see a packet after the Service has been translated, so the port of a rule is the port of the container (the Service's `targetPort`), never that of the Service.",
    example: "ports: [{port: 80}]                # the Service maps 80 to 8080",
    fix: "ports: [{port: 8080}]",
  },
  BH144: {
    explanation:
      "A port name means the number that the destination declares under it. If no selected pod declares it, the rule allows nothing. In an egress rule of Cilium a name with several numbers in the cluster means none of them.",
    example: "ports: [{port: http-alt}]          # the pods declare http",
    fix: "ports: [{port: http}]",
  },
  BH145: {
    explanation:
      "The rule was taken away, and for every endpoint of the input, against every pod, node, address and name that any rule can tell apart, exactly the same passes. All rules that are named so can be removed together.",
    example: "ingress:\n  - from: [{podSelector: {}}]\n  - from: [{podSelector: {matchLabels: {app: web}}}]",
    fix: "ingress:\n  - from: [{podSelector: {}}]",
  },
  BH146: {
    explanation:
      "Denies win over allows. Everything that this rule allows is denied by another, so it never lets anything through.",
    example: "ingress:\n  - fromEndpoints: [{matchLabels: {app: web}}]\ningressDeny:\n  - fromEntities: [cluster]",
    fix: "ingressDeny:\n  - fromEndpoints: [{matchLabels: {app: batch}}]",
  },
  BH147: {
    explanation:
      "Rules add up: a connection passes if any rule allows it. A rule without HTTP beside one with HTTP, for the same peers and port, lets every request through.",
    example:
      'ingress:\n  - toPorts: [{ports: [{port: "80"}], rules: {http: [{path: "/public.*"}]}}]\n  - toPorts: [{ports: [{port: "80"}]}]',
    fix: 'ingress:\n  - toPorts: [{ports: [{port: "80"}], rules: {http: [{path: "/public.*"}]}}]',
  },
  BH148: {
    explanation:
      "The endpoint may open connections, and may ask no name server. Clients that use names, nearly all of them, fail as if the network were down.",
    example: "policyTypes: [Egress]\negress:\n  - to: [{podSelector: {matchLabels: {app: db}}}]",
    fix: "policyTypes: [Egress]\negress:\n  - to: [{podSelector: {matchLabels: {app: db}}}]\n  - to: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]\n    ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]",
  },
  BH149: {
    explanation:
      "`toFQDNs` allows the addresses that Cilium has seen in answers to the endpoint's own look-ups, and it sees them only where a rule to the DNS server has `rules.dns`. Without it no address is learned and nothing is allowed.",
    example: "egress:\n  - toFQDNs: [{matchName: api.example.com}]",
    fix: 'egress:\n  - toFQDNs: [{matchName: api.example.com}]\n  - toEndpoints: [{matchLabels: {k8s:io.kubernetes.pod.namespace: kube-system, k8s-app: kube-dns}}]\n    toPorts: [{ports: [{port: "53", protocol: ANY}], rules: {dns: [{matchPattern: "*"}]}}]',
  },
  BH150: {
    explanation:
      "In a CiliumNetworkPolicy the entry `{}` names no peer and allows nothing, but it closes the direction. In a NetworkPolicy the same text allows everything.",
    example: "ingress: [{}]",
    fix: "ingress: [{fromEntities: [all]}]",
  },
  BH151: {
    explanation:
      "An empty list of a CiliumNetworkPolicy is as if it were not there: the direction stays open. In a NetworkPolicy `policyTypes` closes it.",
    example: "ingress: []",
    fix: "ingress: [{}]          # closes ingress",
  },
  BH152: {
    explanation:
      "An absent key means everybody; an empty list means nobody. Tools that write a policy out again may drop the empty list, and then the rule allows everybody.",
    example: "ingress: [{fromEndpoints: []}]",
    fix: "ingress: [{fromEndpoints: [{}]}]     # every pod of the namespace",
  },
  BH153: {
    explanation: "Without a peer the entry holds for everybody: pods, nodes and the whole internet.",
    example: 'ingress:\n  - toPorts: [{ports: [{port: "443"}]}]',
    fix: 'ingress:\n  - fromEntities: [cluster]\n    toPorts: [{ports: [{port: "443"}]}]',
  },
  BH154: {
    explanation: "Any rule of a direction closes it for everything that no rule allows, rules that only deny included.",
    example: "ingressDeny: [{fromEntities: [world]}]",
    fix: "enableDefaultDeny: {ingress: false}\ningressDeny: [{fromEntities: [world]}]",
  },
  BH155: {
    explanation:
      "By default Cilium matches address rules against what is outside the cluster alone. Pods, nodes and Services have identities of their own, whatever their address.",
    example: "egress: [{toCIDR: [10.0.0.0/8]}]         # pods are in 10.244.0.0/16",
    fix: "egress: [{toEndpoints: [{matchLabels: {app: db}}]}]",
  },
  BH156: {
    explanation:
      "`world` and 0.0.0.0/0 are everything outside the cluster. A policy that allows nothing else closes the way to every pod, node and Service.",
    example: "egress: [{toEntities: [world]}]",
    fix: "egress: [{toEntities: [world, cluster]}]",
  },
  BH157: {
    explanation:
      "`path` is a regular expression that must match the whole path with its query. A plain path matches nothing below it and no request with a query.",
    example: "http: [{path: /public}]",
    fix: 'http: [{path: "/public(/.*)?(\\\\?.*)?"}]',
  },
  BH158: {
    explanation:
      "Name and value of a header item are parted at the first space. Without a space the whole text is a name, colon included, and no request has such a header.",
    example: 'headers: ["X-Role:ops"]',
    fix: 'headers: ["X-Role: ops"]',
  },
  BH159: {
    explanation:
      "Method, path and host are regular expressions, compared as written: a lower-case method never matches, and a bare dot in a host matches any character.",
    example: "http: [{method: get, host: api.example.com}]",
    fix: 'http: [{method: GET, host: "api\\\\.example\\\\.com"}]',
  },
  BH160: {
    explanation:
      "An Ingress or Gateway of the input leads to these pods, and a policy closes the way: for the controller's pods, or for the identity `ingress` of Cilium's own proxy. Whoever calls from outside gets an error.",
    example: "ingress: [{fromEndpoints: [{matchLabels: {app: web}}]}]     # and an Ingress leads here",
    fix: 'ingress:\n  - fromEndpoints: [{matchLabels: {app: web}}]\n  - fromEntities: [ingress]\n    toPorts: [{ports: [{port: "80"}]}]',
  },
  BH161: {
    explanation:
      "A Service of type NodePort or LoadBalancer leads to these pods from outside, and a policy closes the way.",
    example: "type: LoadBalancer                 # and no rule lets `world` in",
    fix: 'ingress:\n  - fromEntities: [world, remote-node]\n    toPorts: [{ports: [{port: "8080"}]}]',
  },
  BH162: {
    explanation:
      "Probes come from the node's own agent. Where a policy closes that way the pod never becomes ready, or is restarted.",
    example: "allow-localhost: policy            # and no rule lets `host` in",
    fix: 'ingress:\n  - fromEntities: [host]\n    toPorts: [{ports: [{port: "8080"}]}]',
  },
  BH163: {
    explanation:
      "A pod in the host's network has the node's identity. Policies on pods never apply to it, whatever its labels.",
    example: "hostNetwork: true\n…\npodSelector: {}",
    fix: "hostNetwork: false",
  },
  BH164: {
    explanation:
      "A pod that no policy selects takes connections from everybody. Without a policy for every pod of the namespace, each new workload starts open.",
    example: "kind: Namespace\nmetadata: {name: shop}",
    fix: "kind: NetworkPolicy\nmetadata: {name: default-deny, namespace: shop}\nspec: {podSelector: {}, policyTypes: [Ingress]}",
  },
  BH165: {
    explanation:
      "Other applications of the input have policies; this one has none, so it reaches and is reached by everybody that the others allow.",
    example: "kind: Deployment\nmetadata: {name: cache, namespace: shop}",
    fix: "kind: NetworkPolicy\nmetadata: {name: cache, namespace: shop}\nspec: {podSelector: {matchLabels: {app: cache}}, …}",
  },
  BH166: {
    explanation:
      "A connection needs both ends: egress of the source and ingress of the destination. This rule is one half, and for nobody that it names the other half is there.",
    example: "# web may call db, and db lets only batch in\negress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]",
    fix: "# and at db\ningress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]",
  },
  BH167: {
    explanation:
      "A later release of Cilium no longer has the field. An upgrade then refuses the policy, or drops what it says.",
    example: "fromRequires: [{matchLabels: {env: prod}}]",
    fix: "fromEndpoints: [{matchLabels: {app: web, env: prod}}]",
  },
  BH168: {
    explanation:
      "The policy map of an endpoint has an entry for each identity and port. When it is full, new entries cannot be written and their traffic is denied. The number is an estimate.",
    example: "toPorts: [{ports: [ … 40 ports … ]}]      # for hundreds of peers",
    fix: 'toPorts: [{ports: [{port: "8000", endPort: 8063}]}]',
  },
  BH169: {
    explanation:
      "A range is written to the policy map as prefixes. One that does not begin and end at powers of two takes up to thirty of them.",
    example: '{port: "1025", endPort: 65534}',
    fix: '{port: "1024", endPort: 65535}',
  },
  BH170: {
    explanation:
      "For one selector and port Cilium takes one application protocol, one TLS context and one listener. Where policies disagree the agent keeps the endpoint's previous policy.",
    example: "# one policy: http, another: kafka, both on port 9092 of the same peers",
    fix: "# one kind of rules on port 9092",
  },
  BH171: {
    explanation:
      "Policies with a node selector are enforced by the host firewall, which is off unless it is switched on.",
    example: "nodeSelector: {matchLabels: {role: worker}}",
    fix: 'enable-host-firewall: "true"      # in cilium-config',
  },
  BH172: {
    explanation:
      "The DNS proxy works on the port of the DNS server's container. If the Service maps 53 to another number, the rule sees no query and learns no name.",
    example: 'toPorts: [{ports: [{port: "53"}], rules: {dns: [{matchPattern: "*"}]}}]     # the pods listen on 5353',
    fix: 'toPorts: [{ports: [{port: "5353"}], rules: {dns: [{matchPattern: "*"}]}}]',
  },
  BH173: {
    explanation:
      "A rule with ports allows those ports alone. Ping and the messages of path MTU discovery are ICMP and stay closed.",
    example: 'ingress: [{fromEntities: [cluster], toPorts: [{ports: [{port: "80"}]}]}]',
    fix: 'ingress:\n  - {fromEntities: [cluster], toPorts: [{ports: [{port: "80"}]}]}\n  - {fromEntities: [cluster], icmps: [{fields: [{type: EchoRequest}]}]}',
  },
  BH174: {
    explanation:
      "Where clusters are joined, a peer that names no cluster means the local one since Cilium 1.19; before, it meant all of them.",
    example: "fromEndpoints: [{matchLabels: {app: web}}]",
    fix: "fromEndpoints: [{matchLabels: {app: web, k8s:io.cilium.k8s.policy.cluster: west}}]",
  },
  BH175: {
    explanation:
      "Each address of each name that matches becomes an identity. With `*` that is every name that anybody looks up.",
    example: 'toFQDNs: [{matchPattern: "*"}]',
    fix: 'toFQDNs: [{matchPattern: "*.example.com"}]',
  },
  BH176: {
    explanation:
      "Type 0 is read as no type at all, so the rule matches every ICMP message. Answers to an allowed ping pass without a rule.",
    example: "icmps: [{fields: [{type: EchoReply}]}]",
    fix: "icmps: [{fields: [{type: EchoRequest}]}]",
  },
  BH177: {
    explanation:
      "A name with few dots is looked up with the search list of the pod first, as `api.example.com.shop.svc.cluster.local`. The DNS rules refuse that. Some clients (musl, so Alpine) take a refusal for the answer and never ask for the name itself.",
    example: 'toPorts: [{ports: [{port: "53"}], rules: {dns: [{matchName: api.example.com}]}}]',
    fix: 'toPorts: [{ports: [{port: "53"}], rules: {dns: [{matchName: api.example.com}, {matchPattern: "*.*.*.*.svc.cluster.local"}, {matchPattern: "*.*.*.*.*.svc.cluster.local"}]}}]',
  },
  BH180: {
    explanation:
      "A finding is suppressed for a reason, and the reason is reported with it. Without one the finding stays.",
    example: 'annotations: {bulkhead.dev/ignore: "BH153"}',
    fix: 'annotations: {bulkhead.dev/ignore: "BH153: this is the public entry of the shop"}',
  },
  BH181: {
    explanation: "The finding is no longer there, so the decision to live with it can go.",
    example: 'annotations: {bulkhead.dev/ignore: "BH153: …"}      # and nothing has BH153 any more',
    fix: "annotations: {}",
  },
};

/** Everything that is known of a code. */
export interface Explained extends CodeEntry {
  readonly code: Code;
  readonly page?: Page;
}

export function explained(code: Code): Explained {
  const page = PAGES[code];
  return { code, ...CODES[code], ...(page === undefined ? {} : { page }) };
}

/** Every code, in order. */
export function allCodes(): readonly Code[] {
  return Object.keys(CODES).filter((code): code is Code => Object.hasOwn(CODES, code));
}
