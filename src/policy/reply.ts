/** An answer that a policy gives in place of the service's. */
export interface Reply {
  readonly status: number;
  /** Lower-case names; `content-length` is worked out. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
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
