/**
 * How much a run does of what is counted: with `BULKHEAD_FULL=1` everything whole, with `BULKHEAD_FULL=properties` (continuous
 * integration) the property tests of the engine and those with packets (policies, requests, names), else a
 * seeded part.
 */
const asked = process.env["BULKHEAD_FULL"];

/** Of the property tests of the engine, with packets too. */
export const isWhole = asked === "1" || asked === "properties";

/** Of everything else: other tests with packets, tables of the lab, VPCs. */
export const isWholeEverywhere = asked === "1";
