/**
 * A pattern, rule or template that cannot be used. `message` says what is wrong, `hint` what would
 * be right, `position` where in the text it is (0-based, undefined for the whole).
 */
export class RoutingError extends Error {
  readonly hint: string | undefined;
  readonly position: number | undefined;

  constructor(message: string, hint?: string, position?: number) {
    super(message);
    this.name = "RoutingError";
    this.hint = hint;
    this.position = position;
  }
}
