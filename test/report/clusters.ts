/** Inputs of a given size for pictures and tables: applications with a front and services behind it. */
import { cnp, workload } from "../lint/codes.ts";

/** `count` workloads in `applications` applications over `namespaces` namespaces, with policies, Services and Ingress. */
export function clusterOf(count: number, applications: number, namespaces: number): string {
  const each = Math.max(1, Math.floor(count / applications));
  const out: string[] = [];
  for (let a = 0; a < applications; a++) {
    const name = `app${a}`;
    const namespace = `ns${a % namespaces}`;
    const next = `app${(a + 1) % applications}`;
    for (let i = 0; i < each; i++) {
      const own = i === 0 ? `${name}-front` : `${name}-svc${i}`;
      out.push(
        workload(`${namespace}/${own}`, `app.kubernetes.io/part-of: ${name}, name: ${own}`, "{containerPort: 8080}"),
      );
    }
    out.push(
      cnp(
        `endpointSelector: {matchLabels: {app.kubernetes.io/part-of: ${name}}}, ingress: [{fromEndpoints: [{matchLabels: {name: ${name}-front}}], toPorts: [{ports: [{port: "8080", protocol: TCP}]}]}]`,
        name,
        namespace,
      ),
      cnp(
        `endpointSelector: {matchLabels: {name: ${name}-front}}, ingress: [{fromEndpoints: [{matchLabels: {name: ${next}-front}, matchExpressions: [{key: "k8s:io.kubernetes.pod.namespace", operator: Exists}]}], toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {http: [{method: GET, path: "/api/.*"}]}}]}, {fromEntities: [ingress]}]`,
        `${name}-front`,
        namespace,
      ),
      `---\napiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {selector: {name: ${name}-front}, ports: [{port: 80, targetPort: 8080}]}\n`,
    );
    if (a % 2 === 0) {
      out.push(
        `---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {ingressClassName: cilium, rules: [{host: ${name}.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: ${name}, port: {number: 80}}}}]}}]}\n`,
      );
    }
  }
  return out.join("");
}
