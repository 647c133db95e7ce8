import type { Identity } from "../policy/identity.ts";

/** A problem body (RFC 9457). */
export interface TestProblem {
  /** Name of its type, as in the reference: `no-route`. */
  name: string;
  type: string;
  title: string;
  status: number;
  detail?: string;
  code?: string;
  requestId?: string;
}

/** How the gateway saw the request, once it was over. */
export interface TestOutcome {
  /** "" for none. */
  route: string;
  service: string;
  identity: Identity | null;
  requestId: string;
  clientAddress: string;
  /** Name of the fault, "" for none. */
  fault: string;
  /** How many targets were tried. */
  attempts: number;
}

/** What the client got. */
export interface TestResponse {
  status: number;
  /** By lower-case name; several lines of one name joined with `, `. */
  headers: Record<string, string>;
  /** Lines as they were sent, names in lower case. */
  lines: [name: string, value: string][];
  setCookies: string[];
  body: string;
  bytes: Buffer;
  /** The body as it was sent, piece by piece. */
  pieces: Buffer[];
  /** undefined where the body is none. */
  problem: TestProblem | undefined;
  trailers: Record<string, string>;
  informational: { status: number; headers: Record<string, string> }[];
  /** The response broke off before its end. */
  isBroken: boolean;
  outcome: TestOutcome;
}
