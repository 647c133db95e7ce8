/** What is wrong with a body: it is not what its type says, or cannot become what is asked for. */
export type FlawKind = "malformed" | "unmappable" | "unsupported";

/** A body that cannot be mapped; the message is a sentence for the client, without what the body holds. */
export class BodyFlaw extends Error {
  readonly kind: FlawKind;
  /** Which rule was broken, kebab-case. */
  readonly code: string;

  constructor(kind: FlawKind, code: string, detail: string) {
    super(detail);
    this.kind = kind;
    this.code = code;
  }
}
