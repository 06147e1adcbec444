/**
 * Whole answers about one cluster with Services of every type, Ingresses and Gateways (`ways/`): each way from outside hop
 * by hop, and what `why` says of connections inside and into it, under each dialect and with other settings of Cilium.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readDocuments } from "../../src/documents/reader.ts";
import { parseAddress } from "../../src/net/address.ts";
import { openDialect } from "../../src/policy/registry.ts";
import { Engine } from "../../src/reach/engine.ts";
import { questionOf } from "../rules/row.ts";
import { findingTexts, pathTexts, reachText, serviceTexts, waysQuery, whyText } from "./answers.ts";
import { type Recorded, recorded } from "./record.ts";

const HERE = import.meta.dirname;

const CONFIG = {
  replaced: { "kube-proxy-replacement": "true", "routing-mode": "native" },
  tunnel: { "kube-proxy-replacement": "true", "routing-mode": "tunnel", "bpf-lb-mode": "dsr" },
  beside: { "kube-proxy-replacement": "false", "routing-mode": "tunnel", "enable-host-firewall": "true" },
};

interface Setting {
  readonly dialect: string;
  readonly files: readonly string[];
  readonly config?: keyof typeof CONFIG;
}

const PLAIN: Setting = { dialect: "kubernetes", files: ["cluster", "services", "policies"] };
const CILIUM: Setting = { dialect: "cilium@1.19", files: ["cluster", "services", "cilium-policies"] };
const SETTINGS: readonly Setting[] = [
  PLAIN,
  CILIUM,
  { ...CILIUM, config: "replaced" },
  { ...CILIUM, config: "tunnel" },
  { ...CILIUM, dialect: "cilium@1.17", config: "beside" },
];

const nameOf = ({ dialect, config }: Setting): string => `${dialect}${config === undefined ? "" : ` ${config}`}`;

function engineOf({ dialect, files, config }: Setting, more: readonly string[] = []): Engine {
  const texts = [...files, ...more].map((name) => ({
    name: `${name}.yaml`,
    text: readFileSync(join(HERE, "ways", `${name}.yaml`), "utf8"),
  }));
  if (config !== undefined) {
    const metadata = { name: "cilium-config", namespace: "kube-system" };
    const text = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata, data: CONFIG[config] });
    texts.push({ name: "config.json", text });
  }
  const { documents, diagnostics } = readDocuments(texts);
  const opened = openDialect(dialect);
  const address = parseAddress("203.0.113.90");
  if (opened === undefined || address === undefined || diagnostics.length > 0) throw new Error(`no engine: ${dialect}`);
  return Engine.open(documents, { dialect: opened, names: new Map([["db.example.com.", [address]]]) });
}

/** A case for each sentence, so that none takes long. */
function waysOf(setting: Setting, more: readonly string[], sentences: readonly string[]): readonly Recorded[] {
  return sentences.map((sentence) => ({
    title: `${sentence} (${nameOf(setting)}${more.map((name) => ` ${name}`).join("")})`,
    texts: () => pathTexts(engineOf(setting, more), waysQuery(sentence)),
  }));
}

const FROM = [
  "shop/Pod/cli",
  "shop/Pod/db",
  "edge/Pod/agent",
  "edge/api",
  "host@n1",
  "host",
  "ip:198.51.100.7",
  "ip:203.0.113.9",
] as const;

/** Whom they dial. */
const TO: readonly string[] = [
  "shop/Service/web 80",
  "shop/Service/web 53/UDP",
  "shop/Service/web-near 80",
  "shop/Service/pods 8080",
  "shop/Service/bare 80",
  "shop/Service/nobody 80",
  "shop/Service/alias 5432",
  "shop/Service/alias-unknown 5432",
  "edge/Service/agent 9100",
  "edge/Service/api 80",
  "edge/Service/log 514/UDP",
  "edge/Service/elsewhere 80",
  "ip:10.96.0.12 80",
  "ip:203.0.113.50 443",
  "ip:203.0.113.60 5432",
  "ip:10.0.0.2 5432",
  "ip:10.0.0.2 22",
  "host@n1 30080",
  "host@n2 30081",
  "host 30080",
  "host@n1 15432",
  "host@n1 5140/UDP",
  "host@n2 5140/UDP",
  "shop/Pod/web 8080",
  "host@n2 6443",
];

function whysOf(setting: Setting): readonly Recorded[] {
  return FROM.map((from) => ({
    title: `from ${from} (${nameOf(setting)})`,
    texts: () => {
      const engine = engineOf(setting);
      return TO.map((to) => `${to} = ${whyText(engine, questionOf(`${from} > ${to}`))}`);
    },
  }));
}

const INGRESS_ASKED = [
  "ip:203.0.113.9 > shop/Service/web 80",
  "internet > shop/Service/pods 80",
  "ip:203.0.113.9 > shop/Service/web-lb 443",
  "ip:203.0.113.9 > shop/Service/web-near 80",
  "ip:203.0.113.9 > shop/db",
  "ip:203.0.113.9 > edge/api",
  "ip:203.0.113.9 > shop/Service/web 80 GET / host=shop.example",
  "ip:203.0.113.9 > shop/Service/web-node 80 GET /v1 host=shop.example",
  "ip:203.0.113.9 > shop/Service/web-lb 443 GET /a/b host=x.shop.example",
  "ip:203.0.113.9 > shop/Service/web-near 80 GET /other host=other.example",
  "ip:203.0.113.9 > shop/Service/web-near 80 GET /other",
  "ip:203.0.113.9 > edge/api 8080 GET /v12 host=api.example",
  "ip:203.0.113.9 > edge/Service/api 80 GET /kong host=api.example",
];

const HTTP_ASKED = [
  "ip:203.0.113.9 > shop/Service/web 80",
  "ip:203.0.113.9 > shop/Service/web-near 80",
  "internet > shop/db",
  "ip:203.0.113.9 > shop/Service/web 80 GET /v1 host=a.shop.example",
  "ip:203.0.113.9 > shop/Service/web-near 80 GET /v1 host=b.example",
  "ip:203.0.113.9 > shop/Service/web-near 80 GET /v1 host=c.example",
  "ip:203.0.113.9 > shop/Service/web-node 80 GET /exact host=a.shop.example x-a=1",
  "ip:203.0.113.9 > shop/Service/web-near 80 GET /q?k=v host=a.shop.example",
  "ip:203.0.113.9 > shop/db 5432 GET /q?k=v host=a.shop.example",
];

const REST_ASKED = [
  "ip:203.0.113.9 > edge/api",
  "ip:203.0.113.9 > shop/web 8080",
  "ip:203.0.113.9 > shop/db",
  "ip:203.0.113.9 > edge/api 8080 POST /shop.Orders/List host=grpc.secure.example",
  "ip:203.0.113.9 > edge/api 8080 POST /shop.Orders/Other host=grpc.secure.example",
  "ip:203.0.113.9 > shop/Service/web-near 80 GET /r1 host=b.example",
  "ip:203.0.113.9 > shop/Service/web 80 GET /r1 host=b.example",
  "ip:203.0.113.9 > shop/Service/web 80 GET /v1/x",
  "ip:203.0.113.9 > shop/db 5432 sni=db.example",
  "ip:203.0.113.9 > shop/db 5432 sni=other.example",
];

recorded(
  join(HERE, "ways-services.txt"),
  SETTINGS.flatMap((setting) => [
    {
      title: `opened (${nameOf(setting)})`,
      texts: () => {
        const engine = engineOf(setting);
        return [...findingTexts(engine), reachText(engine), ...serviceTexts(engine)];
      },
    },
    ...waysOf(setting, [], ["ip:203.0.113.9 > *", "ip:198.51.100.7 > *", "internet > shop/Service/db-lb 5432"]),
    ...whysOf(setting),
  ]),
);
recorded(
  join(HERE, "ways-ingress.txt"),
  [PLAIN, CILIUM].flatMap((setting) => waysOf(setting, ["ingress"], INGRESS_ASKED)),
);
recorded(join(HERE, "ways-gateway.txt"), [
  ...waysOf(PLAIN, ["gateway-http"], HTTP_ASKED),
  ...[PLAIN, CILIUM].flatMap((setting) => waysOf(setting, ["gateway-rest"], REST_ASKED)),
]);
