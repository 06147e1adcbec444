/**
 * The server name that a TLS client asks for, read from the first bytes of its connection without taking part in it
 * (RFC 8446 4.1.2 and 5.1, RFC 6066 3). Whatever is no well-formed ClientHello is refused; nothing after it is looked at.
 */

/** Bytes in which a ClientHello must end, record headers included; Envoy's inspector takes no more either. */
export const CLIENT_HELLO_MAX = 16_384;

export type ClientHello =
  /** More is needed: reading again makes no sense before so many bytes are there. */
  | { readonly kind: "partial"; readonly needed: number }
  /** `serverName` null: the client names none. */
  | { readonly kind: "hello"; readonly serverName: string | null }
  | { readonly kind: "malformed"; readonly why: string };

const RECORD_HEADER = 5;
const RECORD_MAX = 16_384;
const CONTENT_HANDSHAKE = 22;
const MESSAGE_HEADER = 4;
const MESSAGE_CLIENT_HELLO = 1;
const RANDOM = 32;
const SESSION_MAX = 32;
const EXTENSION_SERVER_NAME = 0;
const NAME_TYPE_HOST = 0;

function malformed(why: string): ClientHello {
  return { kind: "malformed", why };
}

/** Reads the ClientHello at the start of a connection; `bytes` are all bytes so far. */
export function readClientHello(bytes: Buffer): ClientHello {
  const fragments: Buffer[] = [];
  let gathered = 0;
  let total = MESSAGE_HEADER;
  for (let at = 0; gathered < total; ) {
    // What is wrong in the first bytes of a record is wrong whatever follows.
    if (at < bytes.length && bytes[at] !== CONTENT_HANDSHAKE) return malformed("it is no TLS handshake");
    if (at + 1 < bytes.length && bytes[at + 1] !== 3) return malformed("it is no version of TLS");
    if (at + RECORD_HEADER > bytes.length) return wait(at + RECORD_HEADER);
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > RECORD_MAX) return malformed(`a record of ${length} bytes`);
    const end = at + RECORD_HEADER + length;
    if (end > bytes.length) return wait(end);
    fragments.push(bytes.subarray(at + RECORD_HEADER, end));
    gathered += length;
    at = end;
    if (gathered < MESSAGE_HEADER) continue;
    if (total === MESSAGE_HEADER) {
      const head = Buffer.concat(fragments, MESSAGE_HEADER);
      if (head[0] !== MESSAGE_CLIENT_HELLO) return malformed("the handshake does not begin with a ClientHello");
      total = MESSAGE_HEADER + head.readUIntBE(1, 3);
      if (total > CLIENT_HELLO_MAX) return malformed(`a ClientHello of ${total} bytes`);
    }
    if (gathered < total && at + RECORD_HEADER >= CLIENT_HELLO_MAX) return wait(at + RECORD_HEADER);
  }
  // A ClientHello comes alone: nothing else may be in its records before the server has answered.
  if (gathered > total) return malformed("something follows the ClientHello in its record");
  return readBody(Buffer.concat(fragments).subarray(MESSAGE_HEADER));
}

function wait(needed: number): ClientHello {
  return needed > CLIENT_HELLO_MAX
    ? malformed(`a ClientHello of more than ${CLIENT_HELLO_MAX} bytes`)
    : { kind: "partial", needed };
}

/** A cursor over length-prefixed fields; `null` once anything did not fit. */
class Fields {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get done(): boolean {
    return this.at === this.bytes.length;
  }

  take(length: number): Buffer | null {
    if (this.at + length > this.bytes.length) return null;
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  number(size: number): number | null {
    return this.take(size)?.readUIntBE(0, size) ?? null;
  }

  /** A vector whose length stands before it in `size` bytes. */
  vector(size: number): Buffer | null {
    const length = this.number(size);
    return length === null ? null : this.take(length);
  }
}

function readBody(body: Buffer): ClientHello {
  const fields = new Fields(body);
  const version = fields.number(2);
  const random = fields.take(RANDOM);
  const session = fields.vector(1);
  const suites = fields.vector(2);
  const compression = fields.vector(1);
  if (version === null || random === null || session === null || suites === null || compression === null)
    return malformed("the ClientHello is cut short");
  if (version >> 8 !== 3) return malformed("it is no version of TLS");
  if (session.length > SESSION_MAX) return malformed("the session identifier is too long");
  if (suites.length === 0 || suites.length % 2 !== 0) return malformed("the list of cipher suites is no list");
  if (compression.length === 0) return malformed("the list of compression methods is empty");
  if (fields.done) return { kind: "hello", serverName: null };
  const extensions = fields.vector(2);
  if (extensions === null || !fields.done) return malformed("the extensions do not fit the ClientHello");
  return readExtensions(new Fields(extensions));
}

function readExtensions(fields: Fields): ClientHello {
  const seen = new Set<number>();
  let serverName: string | null = null;
  while (!fields.done) {
    const type = fields.number(2);
    const data = fields.vector(2);
    if (type === null || data === null) return malformed("an extension is cut short");
    if (seen.has(type)) return malformed(`extension ${type} is there twice`);
    seen.add(type);
    if (type !== EXTENSION_SERVER_NAME) continue;
    serverName = readServerName(data);
    if (serverName === null) return malformed("the server name is none");
  }
  return { kind: "hello", serverName };
}

/** The one host name of the extension; null where it is anything else. */
function readServerName(data: Buffer): string | null {
  const outer = new Fields(data);
  const list = outer.vector(2);
  if (list === null || !outer.done) return null;
  const fields = new Fields(list);
  const type = fields.number(1);
  const name = fields.vector(2);
  // More than one name of a type is forbidden, and no other type is defined.
  if (type !== NAME_TYPE_HOST || name === null || name.length === 0 || !fields.done) return null;
  const text = name.toString("latin1");
  return /^[!-~]+$/.test(text) ? text : null;
}
