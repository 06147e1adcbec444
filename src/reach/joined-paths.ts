/** Paths that say the same, told once: of sources that fare alike, and of pods of one workload. */
import type { Endpoint } from "./endpoint.ts";
import type { NorthSouthPath } from "./north-south-path.ts";

/** A path from one source. */
export type Draft = Omit<NorthSouthPath, "from">;

type Source = Extract<Endpoint, { kind: "outside" }>;

/** Asks for every source, and joins those that fare alike. */
export function grouped(
  name: string,
  sources: readonly Source[],
  ask: (from: Source) => readonly Draft[],
): readonly NorthSouthPath[] {
  const groups = new Map<string, { readonly draft: Draft; readonly names: Set<string> }>();
  let asked = 0;
  for (const source of sources) {
    const drafts = ask(source);
    if (drafts.length > 0) asked++;
    for (const draft of drafts) {
      const key = draftKey(draft, "");
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { draft, names: new Set([source.name]) });
      else group.names.add(source.name);
    }
  }
  return [...groups.values()].map(({ draft, names }) => ({
    ...draft,
    from: names.size === asked ? name : [...names].join(", "),
  }));
}

/** Pods of one workload with the same paths are one. */
export function joined(
  perPod: readonly { readonly endpoint: Endpoint; readonly paths: readonly NorthSouthPath[] }[],
  name: string | undefined,
): readonly NorthSouthPath[] {
  const groups = new Map<string, { readonly path: NorthSouthPath; readonly pod: string; count: number }[]>();
  const order: { readonly path: NorthSouthPath; readonly pod: string; count: number }[] = [];
  for (const { endpoint, paths } of perPod) {
    for (const path of paths) {
      const key = `${path.from} ${draftKey(path, endpoint.name)}`;
      const own = groups.get(key);
      // The same pod may have one path twice only where two rules say the same.
      const first = own?.find((one) => one.pod !== endpoint.name);
      if (first !== undefined) {
        first.count++;
        continue;
      }
      const entry = { path, pod: endpoint.name, count: 1 };
      groups.set(key, [...(own ?? []), entry]);
      order.push(entry);
    }
  }
  return order.map(({ path, pod, count }) =>
    name !== undefined && count >= perPod.length ? renamed(path, pod, name) : path,
  );
}

function renamed(path: NorthSouthPath, pod: string, name: string): NorthSouthPath {
  const text = (at: string): string => (at === pod ? name : at);
  return {
    ...path,
    to: text(path.to),
    hops: path.hops.map((hop) => (hop.kind === "rewrite" ? hop : { ...hop, at: text(hop.at) })),
  };
}

/** Equal for paths that say the same; `pod` is the name of the target, which plays no part. */
function draftKey(draft: Draft, pod: string): string {
  const own = (at: string): string => (at === pod ? "" : at);
  return JSON.stringify([
    draft.way,
    draft.protocol,
    draft.port,
    draft.dialled,
    draft.through,
    draft.verdict,
    draft.because,
    draft.requests.must.key,
    draft.requests.may.key,
    draft.hops.map((hop) => {
      switch (hop.kind) {
        case "rewrite":
          return [hop.service, hop.detail];
        case "filter": {
          const { explanation: e } = hop;
          const deciders = e.deciders.map((d) => [d.kind, d.namespace, d.name, d.section, d.index]);
          return [
            own(hop.at),
            hop.when,
            e.direction,
            e.verdict,
            e.reason,
            deciders,
            e.isolatedBy.map((p) => [p.kind, p.namespace, p.name]),
          ];
        }
        case "route":
        case "terminate":
          return [hop.kind, own(hop.at), hop.kind === "route" ? hop.detail : "", hop.verdict];
      }
    }),
  ]);
}
