import dns from "dns-packet";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  codeAnswer,
  type DnsQuestion,
  framed,
  MessageStream,
  readAnswer,
  readQuery,
  RESPONSE_CODE,
} from "../../../src/lab/proxy/dns-message.ts";

function query(name: string, type = "A", id = 7): Buffer {
  return dns.encode({ type: "query", id, flags: dns.RECURSION_DESIRED, questions: [{ type, name }] });
}

/** A query whose name is these labels, byte by byte. */
function rawQuery(labels: readonly string[], change?: (bytes: Buffer) => void): Buffer {
  const name = labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label, "latin1")]));
  const bytes = Buffer.concat([
    Buffer.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    ...name,
    Buffer.from([0, 0, 1, 0, 1]),
  ]);
  change?.(bytes);
  return bytes;
}

function asked(bytes: Buffer): DnsQuestion {
  const read = readQuery(bytes);
  if (read.kind !== "query") throw new Error(read.kind);
  return read.question;
}

describe("a query", () => {
  test.each<[string, Buffer, string]>([
    ["in lower case with trailing dot", query("WWW.Example.COM"), "www.example.com."],
    ["of the root", rawQuery([]), "."],
    ["with a dot inside a label, which is another name", rawQuery(["www.example", "com"]), "www\\.example.com."],
    ["with a byte that no host name has", rawQuery(["a b", "com"]), "a\\032b.com."],
    ["with a star", rawQuery(["*", "com"]), "\\*.com."],
  ])("names what it asks for, %s", (_, bytes, name) => {
    expect(asked(bytes)).toMatchObject({ id: 7, name, type: 1, class: 1, end: bytes.length });
  });

  test.each<[string, Buffer, number]>([
    ["of another kind", rawQuery(["a"], (b) => b.writeUInt16BE(0x2800, 2)), RESPONSE_CODE.notImplemented],
    ["with two questions", rawQuery(["a"], (b) => b.writeUInt16BE(2, 4)), RESPONSE_CODE.formatError],
    ["without a question", rawQuery(["a"], (b) => b.writeUInt16BE(0, 4)), RESPONSE_CODE.formatError],
    ["with an answer in it", rawQuery(["a"], (b) => b.writeUInt16BE(1, 6)), RESPONSE_CODE.formatError],
    ["whose name points somewhere", rawQuery(["abc"], (b) => b.writeUInt16BE(0xc00c, 12)), RESPONSE_CODE.formatError],
    ["whose label is too long", rawQuery(["abc"], (b) => b.writeUInt8(0x40, 12)), RESPONSE_CODE.formatError],
    ["whose name is too long", rawQuery(Array.from({ length: 5 }, () => "a".repeat(60))), RESPONSE_CODE.formatError],
    ["cut in its name", rawQuery(["abc"]).subarray(0, 15), RESPONSE_CODE.formatError],
    ["cut after its name", rawQuery(["abc"]).subarray(0, 19), RESPONSE_CODE.formatError],
  ])("%s is answered with a code", (_, bytes, code) => {
    const read = readQuery(bytes);
    if (read.kind !== "rejected") throw new Error(read.kind);
    expect(read.code).toBe(code);
    const answer = codeAnswer(bytes, read.question, read.code);
    expect([answer.readUInt16BE(0), answer.readUInt8(2) >> 7, answer.readUInt8(3) & 15]).toEqual([7, 1, code]);
  });

  test("that is a response, or no message at all, is not answered", () => {
    expect(readQuery(rawQuery(["a"], (b) => b.writeUInt16BE(0x8180, 2))).kind).toBe("ignored");
    expect(readQuery(Buffer.alloc(11)).kind).toBe("ignored");
  });

  test("that is refused gets an answer that a resolver reads", () => {
    const bytes = query("secret.example.com", "AAAA", 4711);
    const answer = dns.decode(codeAnswer(bytes, asked(bytes), RESPONSE_CODE.refused));
    expect(answer).toMatchObject({ id: 4711, type: "response", rcode: "REFUSED", flag_rd: true, answers: [] });
    expect(answer.questions).toMatchObject([{ name: "secret.example.com", type: "AAAA" }]);
  });
});

const NAME = "www.example.com";
const ANSWERS = [
  { type: "CNAME", name: NAME, ttl: 300, data: "a.cdn.example" },
  { type: "CNAME", name: "a.cdn.example", ttl: 20, data: "b.cdn.example" },
  { type: "A", name: "b.cdn.example", ttl: 60, data: "192.0.2.1" },
  { type: "A", name: "b.cdn.example", ttl: 60, data: "192.0.2.2" },
] as const;

function answer(change: Partial<Parameters<typeof dns.encode>[0]> = {}): Buffer {
  const base = { type: "response", id: 7, questions: [{ type: "A", name: NAME }], answers: ANSWERS } as const;
  return dns.encode({ ...base, ...change });
}

describe("an answer", () => {
  const question = asked(query(NAME));

  test("gives the addresses at the end of the aliases, and the least time to live", () => {
    expect(readAnswer(answer(), question)).toEqual({
      code: 0,
      truncated: false,
      addresses: ["192.0.2.1", "192.0.2.2"],
      aliases: ["a.cdn.example.", "b.cdn.example."],
      ttl: 20,
      types: ["CNAME", "A"],
    });
  });

  test("gives both families, of the name itself, however it is written", () => {
    const bytes = answer({
      questions: [{ type: "A", name: "WWW.example.com" }],
      answers: [
        { type: "AAAA", name: "WWW.EXAMPLE.com", ttl: 9, data: "2001:db8::1" },
        { type: "A", name: NAME, ttl: 8, data: "192.0.2.9" },
      ],
    });
    expect(readAnswer(bytes, question)).toMatchObject({ addresses: ["2001:db8::1", "192.0.2.9"], ttl: 8 });
  });

  test("teaches nothing of a name that was not asked for, nor by aliases in a circle", () => {
    const other = answer({ answers: [{ type: "A", name: "other.example.com", ttl: 60, data: "192.0.2.66" }] });
    expect(readAnswer(other, question)).toMatchObject({ addresses: [], ttl: 0 });
    const circle = answer({
      answers: [
        { type: "CNAME", name: NAME, ttl: 60, data: "b.example.com" },
        { type: "CNAME", name: "b.example.com", ttl: 60, data: NAME },
        { type: "A", name: NAME, ttl: 60, data: "192.0.2.66" },
      ],
    });
    expect(readAnswer(circle, question)).toMatchObject({ addresses: [] });
  });

  test("tells its code and that it is cut", () => {
    expect(readAnswer(answer({ flags: 0x0200 | 3, answers: [] }), question)).toMatchObject({
      code: 3,
      truncated: true,
      addresses: [],
    });
  });

  test.each<[string, Buffer]>([
    ["has another identifier", answer({ id: 8 })],
    ["is a query", query(NAME)],
    ["answers another name", answer({ questions: [{ type: "A", name: "other.example.com" }] })],
    ["answers another type", answer({ questions: [{ type: "AAAA", name: NAME }] })],
    ["has no question", answer({ questions: [] })],
    ["is cut in a record", answer().subarray(0, answer().length - 3)],
    ["is shorter than its header", Buffer.alloc(5)],
  ])("that %s is none", (_, bytes) => {
    expect(readAnswer(bytes, question)).toBeNull();
  });
});

test("any bytes are read to an end, as query and as answer", () => {
  const question = asked(query(NAME));
  fc.assert(
    fc.property(fc.nat(200), fc.uint8Array({ maxLength: 30 }), fc.nat(200), fc.boolean(), (at, noise, end, isQuery) => {
      const bytes = isQuery ? query(NAME) : answer();
      Buffer.from(noise).copy(bytes, at % bytes.length);
      const cut = bytes.subarray(0, end % (bytes.length + 1));
      const read = readQuery(cut);
      if (read.kind === "query") expect(read.question.end).toBeLessThanOrEqual(cut.length);
      if (read.kind === "rejected") expect(codeAnswer(cut, read.question, read.code).length).toBeGreaterThanOrEqual(12);
      for (const address of readAnswer(cut, question)?.addresses ?? []) expect(address).toMatch(/^[0-9a-f.:]+$/);
    }),
  );
});

test("messages are cut out of a stream, however it comes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 10 }),
      (messages, sizes) => {
        const stream = new MessageStream();
        const bytes = Buffer.concat(messages.map((message) => framed(Buffer.from(message))));
        const found: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          found.push(...stream.push(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(found.map((one) => one.toString("hex"))).toEqual(
          messages.map((one) => Buffer.from(one).toString("hex")),
        );
      },
    ),
  );
});
