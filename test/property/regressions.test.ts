/** Every difference that was once found between the evaluators, as a case that both must answer in the same way. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { fieldsOf, isFields, itemsOf, textOf, textsOf, wholeOf } from "../../reference/values.ts";
import { compareFlow, openBoth } from "./comparison.ts";
import type { Protocol } from "./aims.ts";
import type { Flow } from "./flows.ts";
import { DIALECTS } from "./scenes.ts";
import type { Input } from "./witnesses.ts";

const FOLDER = new URL("./regressions/", import.meta.url);

interface Asked {
  readonly flow: Flow;
  readonly verdict: string;
  /** Reasons of the sides, where the case is about them. */
  readonly egress: string | undefined;
  readonly ingress: string | undefined;
  /** All deciders of both sides, where the case is about them. */
  readonly decidedBy: readonly string[] | undefined;
}

interface Regression {
  readonly title: string;
  readonly input: Input;
  readonly refused: readonly string[];
  readonly asked: readonly Asked[];
}

function regressionOf(text: string): Regression {
  const root = fieldsOf(parse(text));
  const dialect = DIALECTS.find((name) => name === root["dialect"]);
  if (dialect === undefined) throw new Error(`no dialect ${String(root["dialect"])}`);
  const names = Object.fromEntries(
    Object.entries(fieldsOf(root["names"])).map(([name, list]) => [name, textsOf(list)]),
  );
  return {
    title: textOf(root["title"]) ?? "",
    input: {
      dialect,
      documents: itemsOf(root["documents"]).filter(isFields),
      ...(isFields(root["names"]) ? { names } : {}),
    },
    refused: textsOf(root["refused"]),
    asked: itemsOf(root["flows"]).map(fieldsOf).map(askedOf),
  };
}

const PROTOCOLS: readonly Protocol[] = ["TCP", "UDP", "SCTP", "ICMP", "ICMPv6", "VRRP"];

function askedOf(row: Readonly<Record<string, unknown>>): Asked {
  const port = wholeOf(row["port"]);
  const family = row["family"] === "IPv4" || row["family"] === "IPv6" ? row["family"] : undefined;
  const http = fieldsOf(row["http"]);
  const host = textOf(http["host"]);
  const serverName = textOf(fieldsOf(row["tls"])["serverName"]);
  return {
    flow: {
      from: textOf(row["from"]) ?? "",
      to: textOf(row["to"]) ?? "",
      protocol: PROTOCOLS.find((name) => name === row["protocol"]) ?? "TCP",
      ...(port === undefined ? {} : { port }),
      ...(family === undefined ? {} : { family }),
      ...(isFields(row["http"])
        ? {
            http: {
              method: textOf(http["method"]) ?? "GET",
              path: textOf(http["path"]) ?? "/",
              headers: Object.fromEntries(
                Object.entries(fieldsOf(http["headers"])).map(([key, v]) => [key, String(v)]),
              ),
              ...(host === undefined ? {} : { host }),
            },
          }
        : {}),
      ...(serverName === undefined ? {} : { tls: { serverName } }),
    },
    verdict: textOf(row["verdict"]) ?? "",
    egress: textOf(row["egress"]),
    ingress: textOf(row["ingress"]),
    decidedBy: row["decidedBy"] === undefined ? undefined : textsOf(row["decidedBy"]),
  };
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith(".yaml"));

describe("differences of the past", () => {
  test.each(files.map((name) => [name.replace(/\.yaml$/, ""), name] as const))("%s", (_, name) => {
    const { title, input, refused, asked } = regressionOf(readFileSync(new URL(name, FOLDER), "utf8"));
    expect(title).not.toBe("");
    const opened = openBoth(input);
    expect(opened.differences).toEqual([]);
    if (!("engine" in opened)) return;
    expect(opened.engine.refused, "refused objects").toEqual([...refused].sort());
    for (const { flow, verdict, egress, ingress, decidedBy } of asked) {
      const place = `${flow.from} → ${flow.to}`;
      const { view, differences } = compareFlow(opened, flow);
      expect(differences, place).toEqual([]);
      expect(view?.verdict ?? "no answer", place).toBe(verdict);
      if (egress !== undefined) expect(view?.egress.reason, place).toBe(egress);
      if (ingress !== undefined) expect(view?.ingress.reason, place).toBe(ingress);
      if (decidedBy !== undefined && view !== undefined) {
        const all = new Set([...view.egress.deciders, ...view.ingress.deciders]);
        expect([...all].sort(), place).toEqual([...decidedBy].sort());
      }
    }
  });
});
