/** ClientHello messages as bytes, well-formed and otherwise. */

export interface HelloParts {
  readonly serverName?: string;
  /** The data of the extension, in place of that for `serverName`. */
  readonly data?: Buffer;
  readonly version?: number;
  readonly suites?: Buffer;
  /** Extensions before the server name. */
  readonly before?: readonly (readonly [type: number, data: Buffer])[];
  /** All extensions as bytes, in place of those that follow from the rest; null: none, and no length. */
  readonly extensions?: Buffer | null;
}

function vector(size: 1 | 2, bytes: Buffer): Buffer {
  const length = Buffer.alloc(size);
  length.writeUIntBE(bytes.length, 0, size);
  return Buffer.concat([length, bytes]);
}

function extension(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(type);
  return Buffer.concat([head, vector(2, data)]);
}

/** The data of the extension for these names. */
export function serverNameExtension(names: readonly string[]): Buffer {
  const list = names.map((name) => Buffer.concat([Buffer.of(0), vector(2, Buffer.from(name, "latin1"))]));
  return vector(2, Buffer.concat(list));
}

/** The handshake message without records. */
export function helloMessage(parts: HelloParts): Buffer {
  const { serverName, data, version = 0x0303, suites = Buffer.from([0x13, 1, 0x13, 2]), before = [] } = parts;
  const own = data ?? (serverName === undefined ? null : serverNameExtension([serverName]));
  const extensions = Buffer.concat([
    ...before.map(([type, bytes]) => extension(type, bytes)),
    ...(own === null ? [] : [extension(0, own)]),
    extension(0x2b, Buffer.from([2, 3, 4])),
  ]);
  const head = Buffer.alloc(2);
  head.writeUInt16BE(version);
  const body = Buffer.concat([
    head,
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32, 9)),
    vector(2, suites),
    vector(1, Buffer.of(0)),
    ...(parts.extensions === null ? [] : [vector(2, parts.extensions ?? extensions)]),
  ]);
  const message = Buffer.alloc(4);
  message[0] = 1;
  message.writeUIntBE(body.length, 1, 3);
  return Buffer.concat([message, body]);
}

/** A message in records of at most so many bytes. */
export function records(message: Buffer, size: number): Buffer {
  const out: Buffer[] = [];
  for (let at = 0; at < message.length; at += size)
    out.push(Buffer.concat([Buffer.from([22, 3, 1]), vector(2, message.subarray(at, at + size))]));
  return Buffer.concat(out);
}

export function hello(parts: HelloParts): Buffer {
  return records(helloMessage(parts), 16_384);
}
