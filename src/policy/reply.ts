import { FieldBlock } from "../wire/field-block.ts";
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
