/** Pages of findings that reading the input has already: what networks differ on, and what an input lacks. */
import type { Code } from "../base/codes.ts";
import type { Page } from "./page.ts";

export const READING_PAGES: Readonly<Partial<Record<Code, Page>>> = {
  BH103: {
    explanation:
      "An `ipBlock` is meant for addresses outside the cluster. Whether it also matches pods by their address, networks answer differently; Cilium says no.",
    example: "ingress:\n  - from: [{ipBlock: {cidr: 10.244.0.0/16}}]     # the addresses of pods",
    fix: "ingress:\n  - from: [{namespaceSelector: {}}]",
  },
  BH104: {
    explanation:
      "A port name of an egress rule means the number that the destination declares under it. Where the destination is no pod, or pods differ, networks resolve it differently.",
    example: "egress:\n  - ports: [{port: http}]",
    fix: "egress:\n  - ports: [{port: 8080}]",
  },
  BH105: {
    explanation:
      "The kind is an optional part of the API. Where the cluster's network does not implement it, the API server takes the object and nothing happens.",
    example: "kind: AdminNetworkPolicy",
    fix: "kind: NetworkPolicy     # in every namespace, where the network has no other kind",
  },
  BH106: {
    explanation:
      "A prefix with bits of a host, or with leading zeros, is refused by API servers that validate strictly, and read in two ways by others.",
    example: "ipBlock: {cidr: 10.0.0.7/24}",
    fix: "ipBlock: {cidr: 10.0.0.0/24}",
  },
  BH107: {
    explanation:
      "Pods declare port names; networks and domain names do not. Beside them a port name counts for the pods of the rule alone.",
    example:
      "egress:\n  - to: [{networks: [192.0.2.0/24]}, {namespaces: {}}]\n    protocols: [{destinationNamedPort: http}]",
    fix: "egress:\n  - to: [{networks: [192.0.2.0/24]}]\n    protocols: [{tcp: {destinationPort: {number: 8080}}}]",
  },
  BH108: {
    explanation:
      "Addresses of a name are known only once it is resolved, so a rule that refuses by name refuses nothing for certain. The API defines domain names for Accept alone.",
    example: "egress: [{action: Deny, to: [{domainNames: [example.com]}]}]",
    fix: "egress:\n  - {action: Accept, to: [{domainNames: [api.example.com]}]}\n  - {action: Deny, to: [{networks: [0.0.0.0/0, '::/0']}]}",
  },
  BH109: {
    explanation:
      "Only drafts, or withdrawn versions, of the API have the field. A cluster with another version prunes it, and the rule means something else there.",
    example: "ingress: [{action: Allow, from: [{namespaces: {sameLabels: [team]}}]}]",
    fix: "ingress: [{action: Allow, from: [{namespaces: {matchLabels: {team: red}}}]}]",
  },
  BH110: {
    explanation: "The range begins behind its end. It is taken, and it holds no port, so the entry matches nothing.",
    example: "portRange: {start: 9000, end: 8000}",
    fix: "portRange: {start: 8000, end: 9000}",
  },
  BH120: {
    explanation:
      "A CiliumNetworkPolicy applies in its own namespace alone. A namespace in its `endpointSelector` is overwritten, so the policy governs other pods than it says.",
    example:
      "metadata: {namespace: shop}\nspec: {endpointSelector: {matchLabels: {k8s:io.kubernetes.pod.namespace: pay}}}",
    fix: "metadata: {namespace: pay}\nspec: {endpointSelector: {}}",
  },
  BH121: {
    explanation:
      "No Service of the input has this name or these labels, so the list means nobody. Beside `toPorts` Cilium may then allow the ports to everybody.",
    example: "egress: [{toServices: [{k8sService: {serviceName: payd, namespace: pay}}]}]",
    fix: "egress: [{toServices: [{k8sService: {serviceName: paid, namespace: pay}}]}]",
  },
  BH122: {
    explanation: "Cilium resolves `toServices` in `egress`, and not in `egressDeny`, so nothing is denied by it.",
    example: "egressDeny: [{toServices: [{k8sService: {serviceName: api, namespace: shop}}]}]",
    fix: "egressDeny: [{toEndpoints: [{matchLabels: {app: api}}]}]",
  },
  BH123: {
    explanation:
      "The rule means the prefixes of a CiliumCIDRGroup that the input does not have. Whom it means is not known, and what depends on it is unsure.",
    example: "fromCIDRSet: [{cidrGroupRef: office}]",
    fix: "kind: CiliumCIDRGroup\nmetadata: {name: office}\nspec: {externalCIDRs: [203.0.113.0/24]}",
  },
  BH124: {
    explanation:
      "The first patch releases of this release of Cilium have a defect by which the rule means more than it says. The answers are those of the corrected releases.",
    example: "# Cilium 1.19.0 to 1.19.4",
    fix: "# the newest 1.19",
  },
  BH125: {
    explanation: "A setting of cilium-config switches the kind off. Its objects are taken and nothing happens.",
    example: 'enable-k8s-networkpolicy: "false"     # and a NetworkPolicy',
    fix: 'enable-k8s-networkpolicy: "true"',
  },
  BH126: {
    explanation:
      "The value of a setting is none of those that the agent takes. It may not start; the answers here are those of the default.",
    example: "enable-policy: allways",
    fix: "enable-policy: always",
  },
  BH127: {
    explanation: "The value is valid and nothing has it, so the entry matches nothing.",
    example: "icmps: [{fields: [{type: 300}]}]",
    fix: "icmps: [{fields: [{type: EchoRequest}]}]",
  },
  BH304: {
    explanation:
      "No pod of the Service's namespace has all labels of its selector, so whoever calls the Service is refused.",
    example: "kind: Service\nspec: {selector: {app: fronted}}",
    fix: "kind: Service\nspec: {selector: {app: frontend}}",
  },
  BH311: {
    explanation: "The network that reads the policies does not implement the kind. The object is without effect.",
    example: "kind: ClusterNetworkPolicy     # under Cilium 1.19",
    fix: "kind: CiliumClusterwideNetworkPolicy",
  },
  BH318: {
    explanation:
      "An operator makes pods from the object. Their ports and labels are its own affair, so they are guessed by nobody, and no answer counts them: attack surface and area of impact are smaller here than in the cluster.",
    example: "kind: Prometheus\nmetadata: {name: k8s}\nspec: {replicas: 2}",
    fix: "kind: StatefulSet     # as `kubectl get statefulset -o yaml` writes it\nmetadata: {name: prometheus-k8s}",
  },
  BH322: {
    explanation:
      "Only a controller of its class acts on an Ingress or a Gateway, and the input tells none. Its ways count as closed; in a cluster whose default class is not in the input they are open.",
    example: "kind: Ingress\nspec: {rules: [ … ]}     # no ingressClassName",
    fix: "kind: Ingress\nspec: {ingressClassName: nginx, rules: [ … ]}",
  },
  BH323: {
    explanation:
      "The class names a controller whose pods the input does not have, so from where its connections come is not known, and policies by labels cannot be judged.",
    example: "kind: IngressClass\nspec: {controller: example.com/gate}     # and no pod of it",
    fix: "bulkhead exposure --ingress-controller gate/controller …",
  },
};
