/** Fields of HTTP/1 messages as they go on: names and values in turn. */

/** Names and values in turn, as Node's `rawHeaders`. */
export type RawHeaders = readonly string[];

/** How a message's body comes. */
export type Framing = "none" | "counted" | "chunked";

/** What belongs to one connection and not to the message (RFC 9110 7.6.1). */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "proxy-connection", "upgrade", "http2-settings"]);

/** What goes on. */
export function withoutHops(fields: RawHeaders): string[] {
  const out: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? "";
    if (!HOP_BY_HOP.has(name.toLowerCase())) out.push(name, fields[at + 1] ?? "");
  }
  return out;
}

/** How the body comes that fields announce; undefined: they announce none. Node's parser has refused contradictions. */
export function framingOf(fields: RawHeaders): Exclude<Framing, "none"> | undefined {
  let found: Exclude<Framing, "none"> | undefined;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? "";
    // The two names that matter, told from all others by their length first.
    if (name.length === 14 && name.toLowerCase() === "content-length") found = "counted";
    else if (name.length === 17 && name.toLowerCase() === "transfer-encoding")
      return /(?:^|[,\s])chunked\s*$/i.test(fields[at + 1] ?? "") ? "chunked" : undefined;
  }
  return found;
}

/** The length of the body of a message whose framing is "counted"; null: none that can be counted on. */
export function lengthOf(fields: RawHeaders): number | null {
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? "";
    if (name.length !== 14 || name.toLowerCase() !== "content-length") continue;
    const text = fields[at + 1] ?? "";
    return /^\d{1,15}$/.test(text) ? Number(text) : null;
  }
  return null;
}

/** As they stand in a head. */
export function fieldLines(fields: RawHeaders): string {
  let out = "";
  for (let at = 0; at < fields.length; at += 2) out += `${fields[at] ?? ""}: ${fields[at + 1] ?? ""}\r\n`;
  return out;
}
