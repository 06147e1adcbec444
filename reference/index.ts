import type { Family } from "./addresses.ts";
import { admit } from "./admission.ts";
import { type Answer, answerOfMembers, answerOfWorlds, type Outcome } from "./answers.ts";
import { type CiliumPolicies, ciliumOutcome, ciliumPolicies } from "./cilium.ts";
import { type Cluster, clusterOf } from "./cluster.ts";
import { type Edges, edgesOf } from "./endpoints.ts";
import type { Flow } from "./flows.ts";
import { type KubernetesPolicies, kubernetesOutcome, kubernetesPolicies } from "./kubernetes.ts";
import { isTurnedAway, type Leg, stepsOf } from "./legs.ts";
import type { Scene } from "./network-policies.ts";
import { objectsOf } from "./objects.ts";
import type { ReferenceOptions } from "./options.ts";
import { everyWorld, type Unknowns } from "./unknowns.ts";
import type { Because } from "./reasons.ts";

export type { Answer, Decider, Reason, Section, SideAnswer, Verdict } from "./answers.ts";
export { UnknownEndpointError } from "./endpoints.ts";
export type { Flow, HttpRequest } from "./flows.ts";
export type { Dialect, ReferenceOptions } from "./options.ts";
export type { Because, ReasonCode } from "./reasons.ts";
export { REASONS } from "./reasons.ts";

/** Refused objects in the input mean no answer, unless the caller asks for a cluster's view (`asCluster`). */
export class RefusedInputError extends Error {}

/**
 * The reference evaluator: documents in, then one flow at a time. It follows the semantics documents rule by rule, and
 * shares nothing with the engine it is compared with.
 */
export class Reference {
  /** Kind/ns/name of the objects that the API server or the agent would not take. */
  readonly refused: readonly string[];
  /** Why each of them was refused. */
  readonly refusals: ReadonlyMap<string, string>;
  readonly #options: ReferenceOptions;
  readonly #cluster: Cluster;
  readonly #edges: Edges;
  readonly #kubernetes: KubernetesPolicies;
  readonly #cilium: CiliumPolicies | undefined;

  constructor(documents: readonly unknown[], options: ReferenceOptions) {
    const admission = admit(objectsOf(documents), options);
    this.refusals = admission.refused;
    this.refused = [...admission.refused.keys()];
    this.#options = options;
    this.#cluster = clusterOf(admission.accepted, options);
    this.#edges = edgesOf([documents, options.names]);
    this.#kubernetes = kubernetesPolicies(admission.accepted);
    this.#cilium =
      options.dialect === "kubernetes" ? undefined : ciliumPolicies(admission.accepted, this.#cluster, options);
  }

  ask(flow: Flow): Answer {
    if (this.refused.length > 0 && this.#options.asCluster !== true)
      throw new RefusedInputError(`refused: ${this.refused.join(", ")}`);
    const steps = stepsOf(flow, this.#cluster, this.#options, this.#edges);
    return answerOfMembers(steps.flatMap((step) => ("leg" in step ? this.#answers(step.leg) : [step.answer])));
  }

  /** One answer for each family that the leg can use; where the families are not told, they are one more unknown. */
  #answers(leg: Leg): readonly Answer[] {
    const because: Because = { code: "unknown-address", detail: "address family" };
    if (leg.familiesTold)
      return leg.families.map((family) =>
        answerIn((unknowns) => this.#outcome(leg, { ...this.#scene(leg, unknowns), family })),
      );
    return [
      answerIn((unknowns) => {
        const family = unknowns.choose<Family>("family", ["IPv4", "IPv6"], because);
        return this.#outcome(leg, { ...this.#scene(leg, unknowns), family });
      }),
    ];
  }

  #scene(leg: Leg, unknowns: Unknowns): Omit<Scene, "family"> {
    return {
      cluster: this.#cluster,
      options: this.#options,
      unknowns,
      traffic: leg.traffic,
      dialled: leg.dialled,
    };
  }

  #outcome(leg: Leg, scene: Scene): Outcome {
    const outcome =
      this.#cilium === undefined
        ? kubernetesOutcome(leg, this.#kubernetes, scene)
        : ciliumOutcome(leg, this.#cilium, scene);
    return isTurnedAway(leg, scene.unknowns)
      ? { ...outcome, ingress: { ...outcome.ingress, verdict: "deny" } }
      : outcome;
  }
}

function answerIn(evaluate: (unknowns: Unknowns) => Outcome): Answer {
  return answerOfWorlds(everyWorld(evaluate));
}
