import { describe, expect, test } from "vitest";
import { formatAddress } from "../../src/net/address.ts";
import { podTraits } from "../../src/model/pods.ts";
import {
  build,
  controller,
  errors,
  findings,
  object,
  objects,
  onlyPod,
  owner,
  plain,
  pod,
  workload,
  worldOf,
} from "./input.ts";

describe("what pods carry", () => {
  test("[WL-01] a controller is one workload with one representative, in its own namespace", () => {
    const world = worldOf(controller("Deployment", "web", { namespace: "shop", own: "replicas: 3" }));
    expect(world.workloads.map(({ id }) => id)).toEqual(["shop/Deployment/web"]);
    expect(workload(world, "shop/Deployment/web")).toMatchObject({ replicas: 3, pods: [{ real: false, name: "web" }] });
  });

  test.each([
    ["the account that is written", "serviceAccountName: robot", "robot"],
    ["the old field where the new one is missing", "serviceAccount: robot", "robot"],
    ["default where none is written", "restartPolicy: Always", "default"],
  ])("[WL-01] a pod runs as %s", (_, spec, account) => {
    expect(workload(worldOf(pod("p", { spec })), "default/Pod/p").serviceAccount).toBe(account);
  });

  test("[WL-02] a Pod carries its own labels and no more", () => {
    const world = worldOf(pod("p", { labels: "{app: a}" }));
    expect(plain(onlyPod(world, "default/Pod/p").labels)).toEqual({ app: "a" });
    expect(onlyPod(world, "default/Pod/p").real).toBe(true);
  });

  test.each(["ReplicaSet", "ReplicationController"])("[WL-03] a %s adds no label", (kind) => {
    expect(plain(onlyPod(worldOf(controller(kind, "r")), `default/${kind}/r`).labels)).toEqual({ app: "a" });
  });

  test("[WL-04] a Deployment adds pod-template-hash, whose value only the cluster knows", () => {
    const world = worldOf(controller("Deployment", "d", { template: "{app: a, pod-template-hash: mine}" }));
    expect(plain(onlyPod(world, "default/Deployment/d").labels)).toEqual({ app: "a", "pod-template-hash": "?" });
  });

  test("[WL-04] the hash is known where the input has the ReplicaSet with pods", () => {
    const replicaSet = (name: string, replicas: number, hash: string): string =>
      controller("ReplicaSet", name, {
        metadata: owner("Deployment", "d"),
        own: `replicas: ${replicas}`,
        template: `{app: a, pod-template-hash: ${hash}}`,
      });
    const world = worldOf(
      objects(controller("Deployment", "d"), replicaSet("d-new", 1, "new"), replicaSet("d-old", 0, "old")),
    );
    expect(world.workloads).toHaveLength(1);
    const { labels, name } = onlyPod(world, "default/Deployment/d");
    expect(plain(labels)).toEqual({ app: "a", "pod-template-hash": "new" });
    expect(name).toBe("d");
  });

  test("[WL-05] a StatefulSet has one pod an ordinal, told apart by name and index", () => {
    const { pods, replicas } = workload(
      worldOf(controller("StatefulSet", "db", { own: "replicas: 3" })),
      "default/StatefulSet/db",
    );
    expect(replicas).toBe(3);
    expect(pods.map(({ name }) => name)).toEqual(["db-0", "db-1", "db-2"]);
    expect(plain(pods[2]?.labels ?? new Map())).toEqual({
      app: "a",
      "statefulset.kubernetes.io/pod-name": "db-2",
      "apps.kubernetes.io/pod-index": "2",
      "controller-revision-hash": "?",
    });
  });

  test("[WL-05] ordinals begin where the StatefulSet says", () => {
    const { pods } = workload(
      worldOf(controller("StatefulSet", "db", { own: "replicas: 2, ordinals: {start: 5}" })),
      "default/StatefulSet/db",
    );
    expect(pods.map(({ labels }) => labels.get("statefulset.kubernetes.io/pod-name"))).toEqual(["db-5", "db-6"]);
  });

  test("[WL-05] a number of ordinals beyond all measure costs no memory", () => {
    const text = controller("StatefulSet", "db", { own: "replicas: 2000000000" });
    expect(workload(worldOf(text), "default/StatefulSet/db").pods).toHaveLength(5001);
    expect(findings(text, "BH314")).toHaveLength(1);
  });

  test("[WL-06] a DaemonSet adds its revision and generation", () => {
    expect(plain(onlyPod(worldOf(controller("DaemonSet", "d")), "default/DaemonSet/d").labels)).toEqual({
      app: "a",
      "controller-revision-hash": "?",
      "pod-template-generation": "?",
    });
  });

  test("[WL-07] a Job adds its name and uid under new and old keys", () => {
    expect(plain(onlyPod(worldOf(controller("Job", "j")), "default/Job/j").labels)).toEqual({
      app: "a",
      "batch.kubernetes.io/job-name": "j",
      "batch.kubernetes.io/controller-uid": "?",
      "job-name": "j",
      "controller-uid": "?",
    });
  });

  test("[WL-07] the uid of a Job is known where the input tells it", () => {
    const world = worldOf(controller("Job", "j", { metadata: "uid: 1234-abcd" }));
    expect(onlyPod(world, "default/Job/j").labels.get("controller-uid")).toBe("1234-abcd");
  });

  test("[WL-07] a Job with manualSelector adds none of them", () => {
    const world = worldOf(controller("Job", "j", { own: "manualSelector: true, selector: {matchLabels: {app: a}}" }));
    expect(plain(onlyPod(world, "default/Job/j").labels)).toEqual({ app: "a" });
  });

  test.each([
    ["Indexed", "?"],
    ["NonIndexed", undefined],
  ])("[WL-07] a Job of completion mode %s gives the index label %s", (mode, value) => {
    const world = worldOf(controller("Job", "j", { own: `completionMode: ${mode}` }));
    expect(plain(onlyPod(world, "default/Job/j").labels)["batch.kubernetes.io/job-completion-index"]).toBe(value);
  });

  test("[WL-08] the Job of a CronJob has a name of which only the cluster knows the number", () => {
    const labels = plain(onlyPod(worldOf(controller("CronJob", "c")), "default/CronJob/c").labels);
    expect(labels).toMatchObject({ app: "a", "job-name": "c-?", "batch.kubernetes.io/job-name": "c-?" });
  });

  test("[WL-09] labels and selector of the controller itself are not on its pods", () => {
    const world = worldOf(
      controller("Deployment", "d", {
        labels: "{team: x}",
        template: "{app: a, run: w}",
        own: "selector: {matchLabels: {run: w}}",
      }),
    );
    expect(plain(onlyPod(world, "default/Deployment/d").labels)).toEqual({
      app: "a",
      run: "w",
      "pod-template-hash": "?",
    });
  });
});

describe("selectors of controllers", () => {
  test.each([
    ["labels that the template has", "matchLabels: {app: a}", []],
    ["labels that it lacks", "matchLabels: {app: b}", ["BH242"]],
    ["expressions that it meets", "matchExpressions: [{key: app, operator: In, values: [a, b]}]", []],
    ["expressions that it does not meet", "matchExpressions: [{key: app, operator: DoesNotExist}]", ["BH242"]],
    ["nothing at all", "", ["BH242"]],
    ["an operator that is none", "matchExpressions: [{key: app, operator: Equals}]", ["BH205"]],
    ["In without values", "matchExpressions: [{key: app, operator: In}]", ["BH248", "BH242"]],
    ["Exists with values", "matchExpressions: [{key: app, operator: Exists, values: [a]}]", ["BH248"]],
  ])("[WL-10] a Deployment that selects %s", (_, selector, codes) => {
    expect(errors(controller("Deployment", "d", { own: `selector: {${selector}}` }))).toEqual(codes);
  });

  test("[WL-10] what is refused is not in the world, and its place is told", () => {
    const text = controller("Deployment", "d", { own: "selector: {matchLabels: {app: b}}" });
    const { world, account } = build(text);
    expect(world.workloads).toEqual([]);
    expect(account.refused.map(({ kind, name }) => `${kind}/${name}`)).toEqual(["Deployment/d"]);
    expect(findings(text)).toEqual([
      "BH242 4:18 Deployment d: spec.selector: `selector` does not match template `labels`",
    ]);
  });

  test("[WL-10] without a selector it is read as its template, with a warning", () => {
    const text = object("apps/v1", "Deployment", "d", "{template: {metadata: {labels: {app: a}}}}");
    expect(build(text).diagnostics.map(({ code, severity }) => `${severity} ${code}`)).toEqual(["warning BH303"]);
    expect(worldOf(text).workloads).toHaveLength(1);
  });

  test.each([
    ["equal labels", "selector: {app: a}, ", []],
    ["other labels", "selector: {app: b}, ", ["BH242"]],
    ["no selector: the labels of its template", "", []],
  ])("[WL-10] a ReplicationController with %s", (_, own, codes) => {
    const spec = `{${own}template: {metadata: {labels: {app: a}}}}`;
    expect(errors(object("v1", "ReplicationController", "r", spec))).toEqual(codes);
  });
});

describe("no pod at present", () => {
  test.each([
    ["Deployment", "replicas: 0"],
    ["StatefulSet", "replicas: 0"],
    ["Job", "suspend: true"],
    ["Job", "parallelism: 0"],
    ["CronJob", "suspend: true"],
  ])("[WL-11] a %s with %s still answers, and says so", (kind, own) => {
    const text = controller(kind, "w", { own });
    const { pods, replicas } = workload(worldOf(text), `default/${kind}/w`);
    expect([pods.length, replicas]).toEqual([1, 0]);
    expect(findings(text, "BH301")).toHaveLength(1);
  });

  test("[WL-11] with replicas nothing is said", () => {
    expect(findings(controller("Deployment", "w", { own: "replicas: 1" }))).toEqual([]);
  });

  test("[WL-11] a Job that is done still answers, and says so", () => {
    const text = controller("Job", "j", { status: "{conditions: [{type: Complete, status: 'True'}]}" });
    expect(findings(text, "BH301")).toEqual(["BH301 3:18 Job default/j has no pod at present: it has completed"]);
  });

  test.each(["Succeeded", "Failed"])("[K8-37] a pod in phase %s is no endpoint", (phase) => {
    const text = objects(pod("old", { status: `{phase: ${phase}}` }), pod("p", { status: "{phase: Running}" }));
    expect(worldOf(text).workloads.map(({ id }) => id)).toEqual(["default/Pod/p"]);
    expect(findings(text, "BH302")).toEqual(["BH302 5:17 Pod default/old has ended and is no endpoint any more"]);
  });

  test("[K8-37] a pod that is being deleted still counts", () => {
    const world = worldOf(
      pod("p", { metadata: "deletionTimestamp: '2024-01-01T00:00:00Z'", status: "{phase: Running}" }),
    );
    expect(world.workloads).toHaveLength(1);
  });

  test("[K8-37] the ended pods of a workload leave its representative", () => {
    const world = worldOf(
      objects(
        controller("Job", "j"),
        pod("j-x", { metadata: owner("Job", "j", "batch/v1"), status: "{phase: Succeeded}" }),
      ),
    );
    expect(onlyPod(world, "default/Job/j").real).toBe(false);
  });
});

describe("pods under their owners", () => {
  test("real pods replace the representative of their controller", () => {
    const world = worldOf(
      objects(
        controller("StatefulSet", "db", { own: "replicas: 3" }),
        pod("db-0", { labels: "{app: a}", metadata: owner("StatefulSet", "db") }),
      ),
    );
    expect(workload(world, "default/StatefulSet/db")).toMatchObject({
      replicas: 3,
      pods: [{ name: "db-0", real: true }],
    });
  });

  test("the pods of a Deployment answer under it through the ReplicaSet of the input", () => {
    const world = worldOf(
      objects(
        controller("ReplicaSet", "odd", { metadata: owner("Deployment", "d") }),
        pod("odd-1", { metadata: owner("ReplicaSet", "odd") }),
      ),
    );
    expect(world.workloads.map(({ id }) => id)).toEqual(["default/Deployment/d"]);
  });

  test.each([
    ["a hash", "{pod-template-hash: 6d5f9}", "default/Deployment/web"],
    ["no hash", "{app: a}", "default/ReplicaSet/web-6d5f9"],
    ["another hash", "{pod-template-hash: f9999}", "default/ReplicaSet/web-6d5f9"],
  ])("a ReplicaSet that is only referred to, by a pod with %s", (_, labels, id) => {
    const world = worldOf(pod("web-6d5f9-x", { labels, metadata: owner("ReplicaSet", "web-6d5f9") }));
    expect(world.workloads.map((one) => one.id)).toEqual([id]);
  });

  test("owners that are only referred to gather their pods", () => {
    const world = worldOf(
      objects(
        pod("a", { metadata: owner("DaemonSet", "agents", "extensions/v1beta1") }),
        pod("b", { metadata: owner("DaemonSet", "agents", "extensions/v1beta1") }),
        pod("c", { namespace: "other", metadata: owner("DaemonSet", "agents") }),
      ),
    );
    expect(world.workloads.map(({ id, pods, replicas }) => [id, pods.length, replicas])).toEqual([
      ["default/DaemonSet/agents", 2, 2],
      ["other/DaemonSet/agents", 1, 1],
    ]);
  });

  test("a static pod belongs to its node and answers for itself", () => {
    const world = worldOf(pod("etcd-n1", { metadata: owner("Node", "n1", "v1") }));
    expect(world.workloads.map(({ id }) => id)).toEqual(["default/Pod/etcd-n1"]);
  });

  test.each([
    ["the Job", [controller("Job", "c-28000000", { metadata: owner("CronJob", "c", "batch/v1") })]],
    ["the CronJob", [controller("CronJob", "c")]],
  ])("the pods of a CronJob answer under it where the input has %s", (_, more) => {
    const text = objects(...more, pod("c-28000000-x", { metadata: owner("Job", "c-28000000", "batch/v1") }));
    expect(worldOf(text).workloads.map(({ id }) => id)).toEqual(["default/CronJob/c"]);
  });

  test("a pod of a Job that no CronJob of the input made answers under the Job", () => {
    const world = worldOf(pod("j-x", { metadata: owner("Job", "j-28000000", "batch/v1") }));
    expect(world.workloads.map(({ id }) => id)).toEqual(["default/Job/j-28000000"]);
  });

  test("the reference that says controller counts, else the first", () => {
    const refs = (controllerOf: string): string =>
      `ownerReferences: [${["A", "B"].map((kind) => `{apiVersion: x/v1, kind: ${kind}, name: n, controller: ${kind === controllerOf}}`).join(", ")}]`;
    expect(worldOf(pod("p", { metadata: refs("B") })).workloads[0]?.kind).toBe("B");
    expect(worldOf(pod("p", { metadata: refs("none") })).workloads[0]?.kind).toBe("A");
  });

  test("a pod that differs from its workload has ports of its own", () => {
    const world = worldOf(
      objects(
        controller("StatefulSet", "s", { ports: "[{name: http, containerPort: 80}]" }),
        pod("s-0", { metadata: owner("StatefulSet", "s"), ports: "[{name: http, containerPort: 80}]" }),
        pod("s-1", { metadata: owner("StatefulSet", "s"), ports: "[{name: http, containerPort: 81}]" }),
      ),
    );
    const set = workload(world, "default/StatefulSet/s");
    expect(set.pods.map((one) => [one.differs === undefined, podTraits(set, one).ports[0]?.port])).toEqual([
      [true, 80],
      [false, 81],
    ]);
  });

  test("[WL-13] a pod that two controllers select is one pod, of the one that made it", () => {
    const world = worldOf(
      objects(
        controller("DaemonSet", "a"),
        controller("StatefulSet", "b"),
        pod("b-0", { labels: "{app: a}", metadata: owner("StatefulSet", "b") }),
      ),
    );
    expect(world.workloads.map(({ id, pods }) => [id, pods.map(({ real }) => real)])).toEqual([
      ["default/DaemonSet/a", [false]],
      ["default/StatefulSet/b", [true]],
    ]);
  });

  test("workloads of one name and different kinds stand beside each other", () => {
    const world = worldOf(objects(controller("Deployment", "w"), controller("DaemonSet", "w"), pod("w")));
    expect(world.workloads).toHaveLength(3);
  });
});

describe("ports", () => {
  const portsOf = (spec: string) =>
    workload(worldOf(object("v1", "Pod", "p", spec)), "default/Pod/p").ports.map(
      ({ name, protocol, port, hostPort, sidecar }) => ({ name, protocol, port, hostPort, sidecar }),
    );

  test("[WL-14] the ports of all containers in order, TCP unless told", () => {
    expect(
      portsOf(
        "{containers: [{ports: [{name: a, containerPort: 1}, {containerPort: 2, protocol: UDP}]}, {ports: [{name: a, containerPort: 3}]}]}",
      ),
    ).toMatchObject([
      { name: "a", protocol: "TCP", port: 1 },
      { protocol: "UDP", port: 2 },
      { name: "a", protocol: "TCP", port: 3 },
    ]);
  });

  test("[WL-14] init containers that stay count, plain ones are kept apart", () => {
    const world = worldOf(
      object(
        "v1",
        "Pod",
        "p",
        "{initContainers: [{ports: [{name: adm, containerPort: 9999}]}, {restartPolicy: Always, ports: [{containerPort: 15001}]}], containers: [{ports: [{containerPort: 80}]}]}",
      ),
    );
    const { ports, initPorts } = workload(world, "default/Pod/p");
    expect(ports.map(({ port, sidecar }) => [port, sidecar])).toEqual([
      [80, undefined],
      [15001, true],
    ]);
    expect(initPorts.map(({ port }) => port)).toEqual([9999]);
  });

  test.each([
    ["port 1", "{containerPort: 1}", []],
    ["port 0", "{containerPort: 0}", ["BH204"]],
    ["port 65535", "{containerPort: 65535}", []],
    ["port 70000", "{containerPort: 70000}", ["BH204"]],
    ["no port", "{name: http}", ["BH202"]],
    ["a quoted port", "{containerPort: '80'}", ["BH203"]],
    ["a protocol in lower case", "{containerPort: 80, protocol: tcp}", ["BH205"]],
    ["SCTP", "{containerPort: 80, protocol: SCTP}", []],
    ["ICMP", "{containerPort: 80, protocol: ICMP}", ["BH205"]],
    ["a name of 15 letters", "{containerPort: 80, name: abcdefghijklmno}", []],
    ["a name of 16 letters", "{containerPort: 80, name: abcdefghijklmnop}", ["BH241"]],
    ["a name with capitals", "{containerPort: 80, name: Http}", ["BH241"]],
    ["a name of digits", "{containerPort: 80, name: '80'}", ["BH241"]],
    ["a name with two hyphens", "{containerPort: 80, name: a--b}", ["BH241"]],
    ["a name that ends in a hyphen", "{containerPort: 80, name: a-}", ["BH241"]],
    ["a name twice in one container", "{containerPort: 80, name: a}, {containerPort: 81, name: a}", ["BH249"]],
    ["a host port out of range", "{containerPort: 80, hostPort: 70000}", ["BH204"]],
  ])("[WL-14] a container with %s", (_, port, codes) => {
    expect(errors(pod("p", { ports: `[${port}]` }))).toEqual(codes);
  });

  test("a complaint names file, line and column", () => {
    const text = pod("p", { ports: "[{containerPort: 70000}]" });
    const [finding] = build(text).diagnostics;
    expect(finding).toMatchObject({ file: "in.yaml", line: 4, column: 65 });
  });

  test("an empty mapping for no ports is read as such, with a warning", () => {
    const text = pod("p", { ports: "{}" });
    expect(workload(worldOf(text), "default/Pod/p").ports).toEqual([]);
    expect(findings(text, "BH317")).toHaveLength(1);
  });

  test("[WL-15] a host port belongs to the node", () => {
    expect(portsOf("{containers: [{ports: [{containerPort: 8080, hostPort: 80}]}]}")[0]?.hostPort).toBe(80);
    expect(portsOf("{containers: [{ports: [{containerPort: 8080}]}]}")[0]?.hostPort).toBeUndefined();
  });

  test("[WL-15] on the host's network every port is a host port", () => {
    const spec = (host: string): string => `{hostNetwork: true, containers: [{ports: [{containerPort: 80${host}}]}]}`;
    expect(portsOf(spec(""))[0]?.hostPort).toBe(80);
    expect(errors(object("v1", "Pod", "p", spec(", hostPort: 80")))).toEqual([]);
    expect(errors(object("v1", "Pod", "p", spec(", hostPort: 81")))).toEqual(["BH249"]);
  });
});

describe("addresses", () => {
  const node = object("v1", "Node", "n", "{}", {
    status:
      "{addresses: [{type: Hostname, address: n}, {type: ExternalIP, address: 203.0.113.1}, {type: InternalIP, address: 10.0.0.1}]}",
  });
  const addresses = (text: string): string[] =>
    onlyPod(worldOf(objects(node, text)), "default/Pod/p").addresses.map(formatAddress);

  test.each([
    ["one", "{podIP: 10.244.0.5}", ["10.244.0.5"]],
    ["one a family", "{podIP: 10.244.0.5, podIPs: [{ip: 10.244.0.5}, {ip: 'fd00::5'}]}", ["10.244.0.5", "fd00::5"]],
    ["none without status", "{}", []],
  ])("[WL-16] a pod has %s", (_, status, expected) => {
    expect(addresses(pod("p", { status }))).toEqual(expected);
  });

  test("[WL-15] a host-network pod has the internal address of its node", () => {
    expect(addresses(pod("p", { spec: "hostNetwork: true, nodeName: n" }))).toEqual(["10.0.0.1"]);
    expect(addresses(pod("p", { spec: "hostNetwork: true" }))).toEqual([]);
    expect(addresses(pod("p", { spec: "nodeName: n" }))).toEqual([]);
  });

  test("an address that is none is refused at its place", () => {
    expect(findings(pod("p", { status: "{podIP: 10.244.0.500}" }), "BH246")).toHaveLength(1);
  });
});

describe("labels", () => {
  test.each([
    ["a number", "{version: 1}", ["BH203"]],
    ["a quoted number", "{version: '1'}", []],
    ["a prefix", "{example.com/app: a}", []],
    ["two slashes", "{a/b/c: a}", ["BH240"]],
    ["a value with a blank", "{app: a b}", ["BH240"]],
    ["a value of 63", `{app: ${"x".repeat(63)}}`, []],
    ["a value of 64", `{app: ${"x".repeat(64)}}`, ["BH240"]],
    ["an empty value", "{app: ''}", []],
    ["a key that ends in a dot", "{app.: a}", ["BH240"]],
  ])("[K8-66] a pod with %s as label", (_, labels, codes) => {
    expect(errors(pod("p", { labels }))).toEqual(codes);
  });
});
