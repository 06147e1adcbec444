import { describeWithPackets } from "./unprivileged.ts";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it, test } from "vitest";
import { LAB_FAILURES, LabError } from "../../src/lab/failure.ts";
import type { Plan } from "../../src/lab/plan.ts";
import { sitesOf } from "../../src/lab/sites.ts";
import { frontsOf } from "../../src/lab/translation.ts";
import { EMPTY, HTTP, pod, service } from "./clusters.ts";

/** What `labUp` and `labObstacle` say in a process of its own, started by a command that takes something away from it. */
function inWorldWithout(
  prefix: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): { readonly up: string; readonly obstacle: string } {
  const driver = fileURLToPath(new URL("./obstacle-driver.ts", import.meta.url));
  const [command = "", ...rest] = [...prefix, process.execPath, "--import", import.meta.resolve("tsx"), driver];
  const run = spawnSync(command, rest, {
    encoding: "utf8",
    env: { ...process.env, TSX_DISABLE_CACHE: "1", ...environment },
  });
  expect(run.stderr).toBe("");
  const said: { readonly up: string; readonly obstacle: string } = JSON.parse(run.stdout);
  return said;
}

describeWithPackets("where no lab can run", () => {
  test("user namespaces are closed: exit 3, with the remedy", () => {
    const closed = [
      "unshare",
      "--user",
      "--map-root-user",
      "sh",
      "-c",
      'echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"',
      "sh",
    ];
    expect(inWorldWithout(closed)).toEqual({ up: "namespaces-closed", obstacle: "namespaces-closed" });
    expect(LAB_FAILURES["namespaces-closed"]).toMatchObject({
      exit: 3,
      help: expect.stringContaining("user namespaces"),
    });
  });

  test("no more network namespaces: too many pods", () => {
    const few = [
      "unshare",
      "--user",
      "--map-root-user",
      "sh",
      "-c",
      'echo 4 > /proc/sys/user/max_net_namespaces; exec "$@"',
      "sh",
    ];
    expect(inWorldWithout(few).up).toBe("too-many-pods");
  });

  test("too few open files: too many pods", () => {
    expect(inWorldWithout(["sh", "-c", 'ulimit -n 300; exec "$@"', "sh"]).up).toBe("too-many-pods");
  });

  test("unshare is missing", () => {
    expect(inWorldWithout([], { PATH: "/nonexistent" })).toEqual({ up: "tool-missing", obstacle: "tool-missing" });
  });
});

describe("a plan that cannot be", () => {
  const a = pod("default/a", 1001, "10.0.0.1");
  const plan = (tweak: Partial<Plan>): Plan => ({ ...EMPTY, pods: [a], ...tweak });
  const code = (build: () => unknown): string => {
    try {
      build();
      return "none";
    } catch (error) {
      return error instanceof LabError ? error.code : String(error);
    }
  };

  it.each<readonly [string, Plan, string]>([
    ["two pods of one name", plan({ pods: [a, { ...a, addresses: ["10.0.0.2"] }] }), "plan-invalid"],
    ["two pods at one address", plan({ pods: [a, pod("default/b", 1002, "10.0.0.1")] }), "address-clash"],
    [
      "one address, spelled differently",
      plan({ pods: [pod("default/b", 1, "2001:db8::1"), pod("default/c", 1, "2001:DB8:0::1")] }),
      "address-clash",
    ],
    ["a pod at a node's address", plan({ pods: [pod("default/b", 1002, "192.168.50.1")] }), "address-clash"],
    ["a service at a pod's address", plan({ services: [service("default/s", "10.0.0.1", [])] }), "address-clash"],
    ["no such node", plan({ pods: [pod("default/b", 1002, "10.0.0.2", { node: "node-9" })] }), "plan-invalid"],
    ["no node at all", plan({ nodes: [] }), "plan-invalid"],
    ["no address", plan({ pods: [pod("default/b", 1002, "")] }), "plan-invalid"],
    ["not an address", plan({ pods: [pod("default/b", 1002, "10.0.0.256")] }), "plan-invalid"],
    ["an identity out of range", plan({ pods: [pod("default/b", 2 ** 24, "10.0.0.2")] }), "plan-invalid"],
    [
      "a port out of range",
      plan({ pods: [pod("default/b", 1, "10.0.0.2", { ports: [{ protocol: "TCP", port: 70_000 }] })] }),
      "plan-invalid",
    ],
    [
      "two pods of the host's network at one port",
      plan({
        pods: ["x", "y"].map((name) =>
          pod(`default/${name}`, 0, "", { addresses: [], hostNetwork: true, ports: [HTTP] }),
        ),
      }),
      "address-clash",
    ],
    ["all is well", plan({}), "none"],
  ])("%s", (_title, bad, want) => {
    expect(code(() => sitesOf(bad))).toBe(want);
  });

  test("two services at one address and port", () => {
    const twice = plan({
      services: ["s", "t"].map((name) => ({
        ...service(`default/${name}`, "", []),
        clusterIPs: [],
        loadBalancerIPs: ["192.0.2.1"],
      })),
    });
    expect(code(() => frontsOf(twice))).toBe("address-clash");
  });
});
