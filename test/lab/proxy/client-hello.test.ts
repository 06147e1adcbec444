import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CLIENT_HELLO_MAX, readClientHello } from "../../../src/lab/proxy/client-hello.ts";

import { type HelloParts, hello, helloMessage, records, serverNameExtension } from "./hello.ts";

const name = "api.example.com";

/** What is read when the bytes come one segment after the other, cut after each of `at`. */
function readInSegments(bytes: Buffer, at: readonly number[]): ReturnType<typeof readClientHello> {
  let last: ReturnType<typeof readClientHello> = { kind: "partial", needed: 1 };
  for (const end of [...at.filter((one) => one < bytes.length).toSorted((a, b) => a - b), bytes.length]) {
    last = readClientHello(bytes.subarray(0, end));
    if (last.kind !== "partial") return last;
    expect(last.needed).toBeGreaterThan(end);
  }
  return last;
}

describe("a ClientHello", () => {
  test.each<[string, HelloParts, string | null]>([
    ["names its server", { serverName: name }, name],
    ["is read whatever version it says inside TLS", { serverName: name, version: 0x0301 }, name],
    ["may carry other extensions before", { serverName: name, before: [[0x0a, Buffer.from([0, 2, 0, 29])]] }, name],
    ["may name none", {}, null],
    ["may have no extensions at all", { extensions: null }, null],
  ])("%s", (_, parts, expected) => {
    expect(readClientHello(hello(parts))).toEqual({ kind: "hello", serverName: expected });
  });

  test("comes in any cut of segments and records, and says the same", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z0-9-]{1,20}\.[a-z]{1,10}$/),
        fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 400 }),
        (serverName, cuts, recordSize) => {
          const bytes = records(helloMessage({ serverName }), recordSize);
          expect(readInSegments(bytes, cuts)).toEqual({ kind: "hello", serverName });
        },
      ),
    );
  });

  test("is not looked at beyond its end", () => {
    expect(readClientHello(Buffer.concat([hello({ serverName: name }), Buffer.from("more")]))).toEqual({
      kind: "hello",
      serverName: name,
    });
  });
});

describe("what is no ClientHello is refused", () => {
  const broken = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = hello({ serverName: name });
    change(bytes);
    return bytes;
  };
  test.each<[string, Buffer]>([
    ["a request in the clear", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["one byte that begins no record", Buffer.from("G")],
    ["a hello of SSL 2", Buffer.from([0x80, 0x2e, 0x01, 0x03, 0x01])],
    ["an alert", Buffer.from([21, 3, 1, 0, 2, 1, 0])],
    ["a record without bytes", Buffer.from([22, 3, 1, 0, 0])],
    ["a record longer than records are", Buffer.from([22, 3, 1, 0x40, 1])],
    ["another handshake message", broken((bytes) => bytes.writeUInt8(2, 5))],
    ["a message longer than is read", broken((bytes) => bytes.writeUIntBE(CLIENT_HELLO_MAX, 6, 3))],
    ["a session identifier beyond its end", broken((bytes) => bytes.writeUInt8(255, 43))],
    ["two server names", hello({ data: serverNameExtension([name, "other.example.com"]) })],
    ["an empty server name", hello({ data: serverNameExtension([""]) })],
    ["a server name with a byte that no name has", hello({ data: serverNameExtension(["a\0b.example.com"]) })],
    ["the extension twice", hello({ serverName: name, before: [[0, serverNameExtension([name])]] })],
    ["an extension beyond its end", hello({ extensions: Buffer.from([0, 0, 0, 9, 0]) })],
    [
      "a second message in its record",
      records(Buffer.concat([helloMessage({ serverName: name }), Buffer.of(0)]), 4096),
    ],
    ["a list of suites of odd length", hello({ serverName: name, suites: Buffer.from([0x13, 1, 0x13]) })],
  ])("%s", (_, bytes) => {
    expect(readClientHello(bytes).kind).toBe("malformed");
  });

  test("one byte a record, without end", () => {
    const endless = Buffer.concat(Array.from({ length: 3000 }, () => Buffer.from([22, 3, 1, 0, 1, 1])));
    expect(readClientHello(endless).kind).toBe("malformed");
  });

  test("any bytes are read to an end, and a name comes from a whole hello only", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 400 }),
        fc.uint8Array({ maxLength: 40 }),
        fc.integer({ min: 0, max: 200 }),
        (at, noise, end) => {
          const whole = hello({ serverName: name });
          const bytes = Buffer.from(whole);
          Buffer.from(noise).copy(bytes, at % bytes.length);
          const result = readClientHello(bytes.subarray(0, end % (bytes.length + 1)));
          if (result.kind === "hello") expect(end % (bytes.length + 1)).toBeGreaterThan(40);
        },
      ),
    );
  });
});
