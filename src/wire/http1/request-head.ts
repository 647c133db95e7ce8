// HOT
import { Fields } from "../fields.ts";

/** No Content-Length was given. */
export const NO_LENGTH = -1;

/** The head of one request. Reused; every field is set anew by the parser. */
export class RequestHead {
  readonly fields: Fields;
  /** As sent, case-sensitive (RFC 9110 section 9.1). */
  method: string;
  /** The request target lies at `fields.text[targetStart, targetEnd)`. */
  targetStart: number;
  targetEnd: number;
  /** 0 or 1 for HTTP/1.x, 2 for a request that came over HTTP/2. */
  versionMinor: number;
  /** Index of the Host field in `fields`, -1 for an HTTP/1.0 request without one. */
  hostIndex: number;
  /** Body length in bytes, or NO_LENGTH. */
  contentLength: number;
  chunked: boolean;
  keepAlive: boolean;
  /** Index of the Upgrade field when Connection asks for an upgrade, else -1. */
  upgradeIndex: number;
  expectContinue: boolean;
  /** The client said `TE: trailers`: it will read trailers. */
  acceptsTrailers: boolean;

  constructor() {
    this.fields = new Fields();
    this.method = "";
    this.targetStart = 0;
    this.targetEnd = 0;
    this.versionMinor = 1;
    this.hostIndex = -1;
    this.contentLength = NO_LENGTH;
    this.chunked = false;
    this.keepAlive = true;
    this.upgradeIndex = -1;
    this.expectContinue = false;
    this.acceptsTrailers = false;
  }

  /** Takes all that `other` has. Cold. */
  copy(other: RequestHead): void {
    this.fields.copy(other.fields);
    this.method = other.method;
    this.targetStart = other.targetStart;
    this.targetEnd = other.targetEnd;
    this.versionMinor = other.versionMinor;
    this.hostIndex = other.hostIndex;
    this.contentLength = other.contentLength;
    this.chunked = other.chunked;
    this.keepAlive = other.keepAlive;
    this.upgradeIndex = other.upgradeIndex;
    this.expectContinue = other.expectContinue;
    this.acceptsTrailers = other.acceptsTrailers;
  }

  get target(): string {
    return this.fields.text.slice(this.targetStart, this.targetEnd);
  }

  /** A request has a body if it says how long it is (RFC 9112 section 6.3). */
  get hasBody(): boolean {
    return this.chunked || this.contentLength > 0;
  }
}
