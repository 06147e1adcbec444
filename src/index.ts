/**
 * The library: the core without edges. It touches no file, clock, process or network, so it runs in a browser as in a
 * terminal, and every call is synchronous.
 *
 * ```ts
 * import { chooseDialect, Engine, readDocuments } from "bulkhead";
 *
 * const { documents } = readDocuments([{ name: "app.yaml", text }]);
 * const { dialect } = chooseDialect(documents);
 * if (dialect !== undefined) {
 *   const engine = Engine.open(documents, { dialect });
 *   const { verdict } = engine.why({ from: "default/client-a", to: "default/service-a", protocol: "TCP", port: 80 });
 * }
 * ```
 */
export { type Because, BECAUSE, type BecauseCode } from "./base/because.ts";
export { type Code, CODES, type CodeEntry, type Severity } from "./base/codes.ts";
export { type Diagnostic, formatDiagnostic, hasErrors, type Place } from "./base/diagnostic.ts";
export type { Counts, Document, Path, Position, Source } from "./documents/document.ts";
export { type ReadResult, readDocuments } from "./documents/reader.ts";
export type { Account, WorldOptions } from "./model/build.ts";
export type { World } from "./model/world.ts";
export {
  type Address,
  type AddressRange,
  type AddressSet,
  addressSet,
  type Family,
  parseAddress,
  parsePrefix,
  prefixRange,
} from "./net/address.ts";
export type { ApplicationQuestion, Request } from "./net/application.ts";
export type { PortProtocol, Protocol } from "./net/protocol.ts";
export type { Dialect } from "./policy/dialect.ts";
export { chooseDialect, DIALECT_NAMES, type DialectChoice, openDialect } from "./policy/registry.ts";
export type { Origin, Policy, PolicySet, Rule } from "./policy/rule.ts";
export { type Answer, type Hop, type PairAnswer, type Question, QuestionError } from "./reach/answer.ts";
export { type Change, type Delta, Engine, type EngineOptions, type ObjectKey } from "./reach/engine.ts";
export type { Reason, SideExplanation, Verdict } from "./reach/explain.ts";
export type { DeclaredController } from "./reach/controllers.ts";
export type { FlowEntry } from "./reach/flow-list.ts";
export type { FilterHop, RewriteHop, RouteHop, TerminateHop } from "./reach/hop.ts";
export type { NorthSouthPath, Way } from "./reach/north-south-path.ts";
export type { PathQuery } from "./reach/north-south.ts";
export type { Decider, GroupBy, Reach, ReachEntry, ReachPair, ReachQuery, Row, UnsureEntry } from "./reach/reach.ts";
export type { Requests } from "./reach/requests.ts";
export { routeFindings } from "./reach/route-findings.ts";
export type { CaseFiles } from "./verify/case-files.ts";
export { type CaseOptions, type CaseResult, runCase } from "./verify/case.ts";
export type { RowResult } from "./verify/check.ts";
