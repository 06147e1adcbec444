/** Traps in how a policy of Cilium is written, found in the object itself. */
import type { Diagnostic } from "../base/diagnostic.ts";
import { diagnostic } from "../base/diagnostic.ts";
import type { Code } from "../base/codes.ts";
import type { Cursor } from "../documents/cursor.ts";
import { type LintContext, objectText, placeOfPolicy } from "./context.ts";

const KINDS = ["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"] as const;
const SECTIONS = ["ingress", "egress", "ingressDeny", "egressDeny"] as const;
type Section = (typeof SECTIONS)[number];

interface Entry {
  readonly section: Section;
  readonly entry: Cursor;
}

function specsOf(object: Cursor): readonly Cursor[] {
  const specs = object.field("specs").list() ?? [];
  return object.has("spec") ? [object.field("spec"), ...specs] : specs;
}

function* sections(
  context: LintContext,
): Iterable<{ readonly spec: Cursor; readonly section: Section; readonly list: Cursor }> {
  for (const object of context.objects(KINDS)) {
    for (const spec of specsOf(object)) {
      for (const section of SECTIONS) if (spec.has(section)) yield { spec, section, list: spec.field(section) };
    }
  }
}

function* entries(context: LintContext): Iterable<Entry> {
  for (const { section, list } of sections(context)) {
    for (const entry of list.list() ?? []) yield { section, entry };
  }
}

function at(code: Code, cursor: Cursor, message: string): Diagnostic {
  return diagnostic(code, `${nameOf(cursor)}: ${cursor.pathText} ${message}`, cursor.document.locate(cursor.path));
}

function nameOf({ document }: Cursor): string {
  return objectText({
    kind: document.kind,
    name: document.name,
    ...(document.namespace === undefined ? {} : { namespace: document.namespace }),
  });
}

function isList(cursor: Cursor, length: number): boolean {
  return Array.isArray(cursor.value) && cursor.value.length === length;
}

function keysOf(cursor: Cursor): readonly string[] {
  return cursor.keys().filter((key) => !cursor.field(key).isAbsent);
}

/** BH150, BH151, BH152, BH153: lists that are empty, or hold an empty entry. */
export function* emptyLists(context: LintContext): Iterable<Diagnostic> {
  for (const { section, list } of sections(context)) {
    if (section !== "ingress" && section !== "egress") continue;
    if (isList(list, 0)) yield at("BH151", list, "is empty and says nothing: the direction is not closed");
    for (const entry of list.list() ?? []) {
      if (keysOf(entry).length === 0 && entry.shape === "object") {
        yield at("BH150", entry, "is empty and denies everything; in a NetworkPolicy it would allow everything");
      }
    }
  }
  for (const { section, entry } of entries(context)) {
    const peers = keysOf(entry).filter((key) => /^(from|to)(Endpoints|CIDR|CIDRSet|Entities|Nodes)$/.test(key));
    for (const key of peers)
      if (isList(entry.field(key), 0)) yield at("BH152", entry.field(key), "is empty and selects nobody");
    for (const item of entry.field("toPorts").list() ?? []) {
      if (item.shape === "object" && keysOf(item).length === 0) yield at("BH152", item, "is empty and names no port");
    }
    const keys = keysOf(entry);
    const bare = keys.length > 0 && keys.every((key) => key === "toPorts" || key === "icmps");
    if (bare && !section.endsWith("Deny") && (entry.field("toPorts").list()?.length ?? 0) > 0) {
      const who =
        section === "ingress" ? "from everybody, the internet included" : "to everybody, the internet included";
      yield at("BH153", entry, `names ports and no peer: it allows them ${who}`);
    }
  }
}

/** BH157, BH158, BH159: HTTP rules that match less or more than they seem to. */
export function* httpPatterns(context: LintContext): Iterable<Diagnostic> {
  for (const { entry } of entries(context)) {
    for (const item of entry.field("toPorts").list() ?? []) {
      for (const rule of item.field("rules").field("http").list() ?? []) yield* httpRule(rule);
    }
  }
}

function* httpRule(rule: Cursor): Iterable<Diagnostic> {
  const text = (key: string): string | undefined => {
    const { value } = rule.field(key);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const path = text("path");
  if (path !== undefined && /^\/[\w./-]*$/.test(path)) {
    yield at(
      "BH157",
      rule.field("path"),
      `${JSON.stringify(path)} matches this path alone: ${path}?q=1 and ${path.replace(/\/$/, "")}/x are refused`,
    );
  }
  for (const header of rule.field("headers").list() ?? []) {
    const { value } = header;
    if (typeof value === "string" && /^[^\s:]+:\S/.test(value)) {
      yield at(
        "BH158",
        header,
        `${JSON.stringify(value)} has no space after the colon: it asks for a header of that whole name, which no request has`,
      );
    }
  }
  const method = text("method");
  if (method !== undefined && /^[a-z]+$/.test(method)) {
    yield at(
      "BH159",
      rule.field("method"),
      `${JSON.stringify(method)} is lower-case, and methods are compared as written`,
    );
  }
  const host = text("host");
  if (host !== undefined && /[A-Za-z0-9]\.[A-Za-z0-9]/.test(host.replace(/\\\./g, ""))) {
    yield at(
      "BH159",
      rule.field("host"),
      `${JSON.stringify(host)} is a pattern in which a dot stands for any character`,
    );
  }
}

/** BH176: ICMP type 0, which Cilium reads as every type. */
export function* icmpZero(context: LintContext): Iterable<Diagnostic> {
  for (const { entry } of entries(context)) {
    for (const rule of entry.field("icmps").list() ?? []) {
      for (const field of rule.field("fields").list() ?? []) {
        const { value } = field.field("type");
        const isIPv6 = field.field("family").value === "IPv6";
        if (!isIPv6 && (value === 0 || value === "0" || value === "EchoReply")) {
          yield at("BH176", field.field("type"), "means every ICMP type, not the answer to a ping");
        }
      }
    }
  }
}

/** BH167: what later releases refuse. */
export function* deprecatedFields(context: LintContext): Iterable<Diagnostic> {
  for (const { entry } of entries(context)) {
    for (const key of ["fromRequires", "toRequires"]) {
      if (entry.has(key)) yield at("BH167", entry.field(key), "is gone in Cilium 1.19: there the policy is refused");
    }
    for (const item of entry.field("toPorts").list() ?? []) {
      const rules = item.field("rules");
      for (const key of ["kafka", "l7proto", "l7"]) {
        if (rules.has(key)) yield at("BH167", rules.field(key), "is deprecated and gone in Cilium 1.20");
      }
    }
  }
}

/** BH154: policies that only deny, and close the direction all the same. */
export function* closingDenies(context: LintContext): Iterable<Diagnostic> {
  if (!context.isCilium) return;
  const { policies } = context.engine.policies;
  for (const policy of policies) {
    if (policy.document === undefined || !KINDS.some((kind) => kind === policy.kind)) continue;
    for (const direction of ["ingress", "egress"] as const) {
      const own = policy.rules.filter((rule) => rule.direction === direction);
      if (own.length === 0 || own.some((rule) => rule.action !== "deny") || policy.isolation[direction] !== "closed")
        continue;
      const selected = context.selected(policy);
      const opened = selected.some((unit) =>
        context.engine.connections.sides
          .subject(context.viewOf(unit.endpoint))
          .selections.some(({ policy: other }) =>
            other.rules.some((rule) => rule.direction === direction && rule.action === "allow"),
          ),
      );
      if (selected.length === 0 || opened) continue;
      yield diagnostic(
        "BH154",
        `${objectText(policy)} only denies, and so closes ${direction} whole for whom it selects`,
        placeOfPolicy(policy),
      );
    }
  }
}
