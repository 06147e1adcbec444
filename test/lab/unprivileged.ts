/**
 * Import this first: packet tests run as an ordinary user, so that the lab keeps needing no root. A kernel test that
 * cannot run fails, unless BULKHEAD_ALLOW_SKIP=1 says that this is known.
 */

import "./ordinary-user.ts";
import { describe } from "vitest";
import { labObstacle } from "../../src/lab/client.ts";

const skip = process.env["BULKHEAD_ALLOW_SKIP"] === "1" && labObstacle() !== null;

/** A group of tests that needs the kernel. */
export const describeWithPackets = skip ? describe.skip : describe;

let counter = 0;

/** A lab's name that no other test uses. */
export function uniqueName(): string {
  return `test-${process.pid}-${++counter}`;
}
