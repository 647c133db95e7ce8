/**
 * Why a body is not mapped: it is not what its type says, cannot become what is asked for, or there is too much else
 * to do (`busy`).
 */
export type FlawKind = "malformed" | "unmappable" | "unsupported" | "busy";

/** A body that cannot be mapped; the message is a sentence for the client, without what the body holds. */
export class BodyFlaw extends Error {
  readonly kind: FlawKind;
  /** Which rule was broken, kebab-case. */
  readonly code: string;

  /** Of the answer. */
  readonly headers: Readonly<Record<string, string>> | null;

  constructor(
    kind: FlawKind,
    code: string,
    detail: string,
    headers: Readonly<Record<string, string>> | null = null,
  ) {
    super(detail);
    this.kind = kind;
    this.code = code;
    this.headers = headers;
  }
}
