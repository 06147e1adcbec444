/** Cases that are not run, each with its reason. */
const CALICO = "needs the calico dialect, which is not built yet";

export const SKIPPED: Readonly<Record<string, string>> = {
  "network-config-analyzer/conn-fw-calico-testcase13-open-default-tcp": CALICO,
  "network-config-analyzer/forbids-calico-calico-demo-demo-forbids-np-traffic-between-cnc-evaluation-service-no-outside-np-global-blacklist-ports":
    CALICO,
  "network-config-analyzer/permits-calico-calico-demo-demo-permits-np-product-compare-and-comply-np-cnc-fe-not-helm-open":
    CALICO,
};
