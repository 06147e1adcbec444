/** Inputs that others wrote. They are not in the repository; where they have been fetched, every question is asked of them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bulkhead, ROOT } from "../cli/run.ts";

const FOLDER = join(ROOT, "examples/third-party");
const DOWNLOAD = "examples/third-party/download";
const RENDERED = `${DOWNLOAD}/opentelemetry-helm-charts/charts/opentelemetry-demo/examples/default/rendered`;
const STARS = `${DOWNLOAD}/cilium/examples/minikube`;

interface Input {
  readonly paths: readonly string[];
  readonly endpoint: string;
  /** Codes that `lint` finds, and no others. */
  readonly codes: readonly string[];
  /** The last lines of `exposure` and of `impact --all` hold these. */
  readonly surface: string;
  readonly area: string;
}

const INPUTS: Readonly<Record<string, Input>> = {
  "online-boutique": {
    paths: [
      `${DOWNLOAD}/microservices-demo/kubernetes-manifests`,
      `${DOWNLOAD}/microservices-demo/kustomize/components/network-policies`,
    ],
    endpoint: "default/frontend",
    codes: [],
    surface: "Attack surface: 1 of 12 endpoints reachable through 2 ways in",
    area: "on average 10.1 of 11 other endpoints fall with one; without policies 11, so 8.3 % less",
  },
  "star-wars": {
    paths: [`${STARS}/http-sw-app.yaml`, `${STARS}/sw_l3_l4_l7_policy.yaml`],
    endpoint: "default/tiefighter",
    codes: ["BH157", "BH164", "BH165", "BH173"],
    surface: "Attack surface: 0 of 3 endpoints reachable through 0 ways in",
    area: "on average 2 of 2 other endpoints fall with one",
  },
  "kube-prometheus": {
    paths: [`${DOWNLOAD}/kube-prometheus/manifests`, `${DOWNLOAD}/kube-prometheus/manifests/setup`],
    endpoint: "monitoring/grafana",
    codes: ["BH163", "BH164", "BH318"],
    surface: "Attack surface: 1 of 6 endpoints reachable through 2 ways in",
    area: "on average 1.7 of 5 other endpoints fall with one",
  },
  "opentelemetry-demo": {
    paths: ["", "grafana", "jaeger/jaeger", "opensearch", "opentelemetry-collector", "prometheus"].map((folder) =>
      join(RENDERED, folder),
    ),
    endpoint: "default/frontend",
    codes: ["BH164"],
    surface: "Attack surface: 1 of 30 endpoints reachable through 6 ways in",
    area: "on average 29 of 29 other endpoints fall with one",
  },
};

const readme = readFileSync(join(FOLDER, "README.md"), "utf8");

test("nothing that others wrote is kept here, and where it comes from is told", () => {
  expect(readFileSync(join(FOLDER, ".gitignore"), "utf8")).toBe("/download/\n");
  for (const [name, { paths }] of Object.entries(INPUTS)) {
    expect(paths.every((path) => path.startsWith(`${DOWNLOAD}/`))).toBe(true);
    expect(readme).toMatch(new RegExp(`^\\| \\[${name}\\].*\`[0-9a-f]{40}\`.*Apache-2\\.0`, "m"));
    for (const file of readdirSync(join(FOLDER, name)))
      for (const line of readFileSync(join(FOLDER, name, file), "utf8").matchAll(/^ {2}- (\S+)$/gm))
        expect(line[1]).toMatch(/^\.\.\/download\//);
  }
});

describe.each(Object.entries(INPUTS))("%s", (name, { paths, endpoint, codes, surface, area }) => {
  if (!paths.every((path) => existsSync(join(ROOT, path)))) {
    console.warn(`LEFT OUT: ${name} of examples/third-party is not here; its README.md says how to fetch it`);
    test.skip("LEFT OUT: the input is not here; examples/third-party/README.md says how to fetch it", () => {});
    return;
  }
  const input = paths.flatMap((path) => ["-f", path]);
  const ask = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await bulkhead([...args, ...input]);
    expect(code, stderr).toBe(0);
    return stdout;
  };

  test("expectations hold", async () => {
    const { code, stdout } = await bulkhead(["verify", `examples/third-party/${name}`]);
    expect(stdout).toMatch(/^\d+ passed, 0 failed\n$/);
    expect(code).toBe(0);
  });

  test("attack surface and area of impact", async () => {
    expect(await ask("exposure", "--against", "none")).toContain(surface);
    expect(await ask("impact", "--all")).toContain(area);
    expect(await ask("impact", endpoint, "-o", "svg")).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  });

  test("findings, and no others", async () => {
    const found: unknown = JSON.parse(await ask("lint", "-o", "json"));
    const list = typeof found === "object" && found !== null ? Reflect.get(found, "findings") : undefined;
    const own = Array.isArray(list) ? list.map((one) => Reflect.get(one, "code")) : [];
    expect([...new Set(own)].sort()).toEqual(codes);
  });

  test("pictures and reports are whole; nothing differs from itself", async () => {
    expect(await ask("reach", "-o", "svg")).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    expect(await ask("reach", "-o", "html")).toMatch(/<\/html>\n$/);
    expect(await ask("reach", "-o", "md")).toMatch(/^\| From /);
    expect(await ask("reach", "--matrix")).toContain("rows talk to columns");
    expect(await ask("report")).toContain("## Attack surface");
    const [first = "", ...rest] = paths;
    const same = await bulkhead(["diff", first, first, ...rest.flatMap((path) => ["-f", path])]);
    expect(same.stdout).toMatch(/^no connection is gained or lost/);
  });
});
