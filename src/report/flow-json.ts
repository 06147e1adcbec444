/** Flows as every JSON answer writes them. */
import { type Application, EVERYTHING, type ShownApplication, showApplication } from "../net/application.ts";
import type { FlowEntry } from "../reach/flow-list.ts";
import { applicationOfEntry } from "./reach-report.ts";

export function flowJson(entry: FlowEntry): Record<string, unknown> {
  return {
    family: entry.family,
    protocol: entry.protocol,
    ports: entry.ports,
    ...(entry.icmp === undefined ? {} : { icmp: entry.icmp }),
    http: applicationOfEntry(entry) ?? null,
  };
}

/** Requests in the same form; null for every request. */
export function applicationOfRequests(application: Application): ShownApplication | null {
  return application === EVERYTHING ? null : showApplication(application);
}
