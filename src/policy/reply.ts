import { FieldBlock } from "../wire/field-block.ts";
import { statusLineOf } from "../wire/http1/write-message.ts";
import type { Refresh } from "./refresh.ts";

/** An answer that a policy gives in place of the service's. */
export interface Reply {
  readonly status: number;
  /** Lower-case names; `content-length` is worked out, unless `block` has it. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Lines that were made ready once, before those of `headers`; no Date is added to them. */
  readonly block?: ReadyLines;
  /**
   * It is what a service has answered, kept and given again: policies behind this one have dealt with it when
   * it came, and those before this one see it as they see the service's answers.
   */
  readonly standsIn?: true;
  /** With `standsIn`, out of `onRequest`: what is to be asked once this is given. */
  readonly refresh?: Refresh;
}

/**
 * Makes a reply; do it once, when the policy is compiled, wherever it does not depend on the request.
 *
 * @param body text is sent as UTF-8; give `content-type` with it.
 */
export function reply(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | Buffer = "",
): Reply {
  return { status, headers, body: typeof body === "string" ? Buffer.from(body) : body };
}

export type ReadyLines = FieldBlock;

/** Header lines for `Reply.block`: names in lower case and values, by turns. */
export function readyLines(headers: readonly string[]): ReadyLines {
  return new FieldBlock(headers);
}

/** Beyond this a body as text has to be put into memory of its own to be sent. */
const MESSAGE_BODY_BYTES_MAX = 14 * 1024;

/**
 * All of a response with a body, for `Reply.block`: as long as nobody changes it, it is sent in one piece.
 *
 * @param headers as for `readyLines`, with `content-length`
 */
export function readyMessage(status: number, headers: readonly string[], body: Buffer): ReadyLines {
  const text = body.length > MESSAGE_BODY_BYTES_MAX ? "" : body.toString("latin1");
  return new FieldBlock(headers, { statusLine: statusLineOf(status), body: text });
}
