/** Services of every type from the command line, in a dual-stack lab: names, balancing, node ports, the outside. */
import { describeWithPackets, uniqueName } from "../lab/unprivileged.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bulkhead, json, withFiles } from "./run.ts";

const name = uniqueName();
const lab = (verb: string, ...args: string[]): ReturnType<typeof bulkhead> =>
  bulkhead(["lab", verb, "--name", name, ...args]);
const inside = (place: string, script: string): ReturnType<typeof bulkhead> =>
  lab("exec", place, "--", "sh", "-c", script);

const workload = (kind: string, own: string, replicas: number, port: string): string => `apiVersion: apps/v1
kind: ${kind}
metadata: {name: ${own}, namespace: shop}
spec:
  replicas: ${replicas}
  ${kind === "StatefulSet" ? `serviceName: ${own}` : "paused: false"}
  selector: {matchLabels: {app: ${own}}}
  template:
    metadata: {labels: {app: ${own}}}
    spec: {containers: [{name: c, image: i, ports: [${port}]}]}
---
`;
const service = (own: string, spec: string): string => `apiVersion: v1
kind: Service
metadata: {name: ${own}, namespace: shop}
spec: ${spec}
---
`;
const INPUT = [
  workload("Deployment", "web", 3, "{name: http, containerPort: 8080}"),
  workload("StatefulSet", "db", 2, "{containerPort: 5432}"),
  "apiVersion: v1\nkind: Pod\nmetadata: {name: client, namespace: shop}\nspec: {containers: [{name: c, image: i}]}\n---\n",
  service(
    "web",
    "{type: LoadBalancer, selector: {app: web}, ports: [{name: http, port: 80, targetPort: http, nodePort: 30080}]}",
  ),
  service("db", "{clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}"),
  service("alias", "{type: ExternalName, externalName: web.shop.svc.cluster.local}"),
].join("");
const RANGES = ["10.244.0.0/16", "fd00:10:244::/64"].flatMap((range) => ["--pod-cidr", range]);

describeWithPackets("Services of a dual-stack lab", () => {
  beforeAll(async () => {
    await withFiles({ "input.yaml": INPUT }, async (folder) => {
      expect((await lab("up", folder, "--nodes", "2", ...RANGES)).code).toBe(0);
    });
  });
  afterAll(() => lab("down"));

  test("a Service is balanced over its pods by the name of their port, in both families", async () => {
    const { stdout } = await inside(
      "shop/client",
      "for i in 1 2 3; do curl -s -4 http://web/; curl -s -6 http://web/; done",
    );
    for (const pod of ["web-1", "web-2", "web-3"])
      for (const address of [/10\.244\.0\.\d+:8080/, /fd00:10:244::\d+:8080/])
        expect(stdout).toMatch(new RegExp(`served by shop/${pod} at ${address.source}`));
  });

  test("a headless name leads to its pods, each of which has its own, and another name to the same Service", async () => {
    const { stdout } = await inside(
      "shop/client",
      "getent ahosts db | cut -d' ' -f1 | sort -u | wc -l; curl -s http://db-1.db:5432/ | head -1; curl -s http://alias/ | head -1",
    );
    expect(stdout).toMatch(/^4\nserved by shop\/db-1 at \S+:5432 on node-\d\nserved by shop\/web-\d at/);
  });

  test("from outside the node port and the load balancer answer, and no pod", async () => {
    const status: {
      readonly services: readonly { readonly name: string; readonly loadBalancerIPs: readonly string[] }[];
    } = JSON.parse((await lab("status", "-o", "json")).stdout);
    const [balancer = "", balancer6 = ""] = status.services.find((one) => one.name === "web")?.loadBalancerIPs ?? [];
    const { stdout } = await inside(
      "internet",
      `for at in 172.18.0.1:30080 ${balancer} '[fd00:172:18::1]:30080' '[${balancer6}]'; do curl -s -m 5 "http://$at/" | head -1; done; curl -s -m 1 http://10.244.0.3:8080/ || echo none`,
    );
    expect(stdout.trim().split("\n")).toEqual([
      ...Array<unknown>(4).fill(expect.stringMatching(/^served by shop\/web-\d/)),
      "none",
    ]);
  });

  test("every source is asked for every port, a headless Service at its pods", async () => {
    const { code, stdout } = await lab("probe", "-o", "json");
    expect({ code, agree: Object(json(stdout))["agree"] }).toEqual({ code: 0, agree: true });
    expect(stdout).toContain("shop/Service/db");
  });
});
