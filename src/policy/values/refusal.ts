/**
 * Refusal: a value the configuration cannot take. Parsers of single values throw it; the schema
 * turns it into a mistake with a place. `message` says what is wrong, `hint` what would be right.
 */
export class Refusal extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = "Refusal";
    this.hint = hint;
  }
}
