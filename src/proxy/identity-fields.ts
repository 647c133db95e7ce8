// HOT
import { ClaimedHeaders } from "../policy/claimed-headers.ts";
import type { Identity } from "../policy/identity.ts";
import type { Fields } from "../wire/fields.ts";
import type { IdentityHeaders } from "./snapshot.ts";

/** Keeps clients out of the headers that tell services who is calling, and puts the truth in. */
export class IdentityFields implements IdentityHeaders {
  private readonly claimed: ClaimedHeaders;
  private readonly render: (identity: Identity) => string;

  /**
   * @param names of the headers, in lower case, shorter than 256
   * @param render makes the lines; once for each identity
   */
  constructor(names: readonly string[], render: (identity: Identity) => string) {
    this.claimed = new ClaimedHeaders(names);
    this.render = render;
  }

  strip(fields: Fields): void {
    this.claimed.strip(fields);
  }

  linesOf(identity: Identity): string {
    if (identity.linesOwner !== this) {
      identity.lines = this.render(identity);
      identity.linesOwner = this;
    }
    return identity.lines;
  }
}
