/** A flow as the reference is asked, as a question of the engine. */
import type { VpcFlow } from "../../reference/vpc/index.ts";
import type { VpcQuestion } from "../../src/vpc/engine.ts";
import { protocolOf } from "../../src/verify/connection-text.ts";

export function questionOf(flow: VpcFlow): VpcQuestion {
  return {
    from: flow.from,
    to: flow.to,
    protocol: protocolOf(flow.protocol),
    ...(flow.port === undefined ? {} : { port: flow.port }),
    ...(flow.via === undefined ? {} : { via: flow.via }),
    ...(flow.flow === undefined ? {} : { flow: flow.flow }),
    ...(flow.clientPorts === undefined ? {} : { clientPorts: flow.clientPorts }),
  };
}
