/**
 * Node's own parser of HTTP/1 (llhttp), as far as the proxy uses it. Node's clients and servers stand on it; it has no
 * types, and is the same in Node 20 to 24 (`lib/_http_common.js`, `src/node_http_parser.cc`).
 */
declare module "node:_http_common" {
  /** Names by the parser's number; those from 34 on are others there. */
  export const methods: readonly string[];
  export class HTTPParser {
    static readonly REQUEST: number;
    static readonly RESPONSE: number;
    static readonly kOnMessageBegin: 0;
    static readonly kOnHeaders: 1;
    static readonly kOnHeadersComplete: 2;
    static readonly kOnBody: 3;
    static readonly kOnMessageComplete: 4;
    [HTTPParser.kOnMessageBegin]: () => void;
    /** Fields in excess of 32, and those after the body; the path with the first of the former. */
    [HTTPParser.kOnHeaders]: (fields: readonly string[], url: string) => void;
    /** Returns 1 where no body follows whatever the fields say, 2 where another protocol follows. */
    [HTTPParser.kOnHeadersComplete]: (
      major: number,
      minor: number,
      fields: readonly string[] | undefined,
      method: number | undefined,
      url: string | undefined,
      status: number,
      message: string,
      isUpgrade: boolean,
      isKeptAlive: boolean,
    ) => 0 | 1 | 2;
    /** `bytes` are a copy: what was read into may be read into again. */
    [HTTPParser.kOnBody]: (bytes: Buffer) => void;
    [HTTPParser.kOnMessageComplete]: () => void;
    initialize(type: number, resource: object, headerBytesMax: number): void;
    /** How many bytes were taken, or why none can be. */
    execute(bytes: Buffer): number | Error;
    /** At the end of the stream. */
    finish(): Error | undefined;
    free(): void;
  }
}
