import { nobodysHash, verifyPassword } from "../../policy/password-hash.ts";

/** How many pairs may wait for their turn: with 25 ms for each, the last waits for less than two seconds. */
const WAITING_MAX = 64;

/**
 * Checks passwords one after the other. A check takes a thread of the pool, which all workers share with
 * whatever reads files and resolves names: a flood of wrong passwords must not take all of them.
 */
export class PasswordChecks {
  private readonly verify: typeof verifyPassword;
  private waiting = 0;
  private last: Promise<unknown> = Promise.resolve();
  /** What nobody's password is compared with: as costly as the hashes that there are. */
  private usualHash = nobodysHash;

  constructor(verify: typeof verifyPassword = verifyPassword) {
    this.verify = verify;
  }

  get isFull(): boolean {
    return this.waiting >= WAITING_MAX;
  }

  /** @param hash undefined for a user who is not known: takes as long, and is false. */
  async check(password: string, hash: string | undefined): Promise<boolean> {
    if (hash !== undefined) this.usualHash = hash;
    const compared = hash ?? this.usualHash;
    this.waiting++;
    const turn = this.last.then(() => this.verify(password, compared));
    this.last = turn.then(noop, noop);
    try {
      return (await turn) && hash !== undefined;
    } finally {
      this.waiting--;
    }
  }
}

function noop(): void {}
