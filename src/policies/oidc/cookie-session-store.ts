import { randomBytes } from "node:crypto";
import { GenerationCache } from "../../base/generation-cache.ts";
import type { ConcurrencyTable } from "../../policy/limit-tables.ts";
import type { CookieSealer } from "./sealed-cookie.ts";
import type { SessionBoard } from "./session-board.ts";
import type { SessionStore } from "./session-store.ts";
import {
  formatSession,
  parseSession,
  sessionEndsAt,
  type Session,
  type SessionLimits,
} from "./session.ts";

const OPENED_COUNT_MAX = 2000;
const OPENED_BYTES_MAX = 16 * 1024 * 1024;

export interface CookieSessionSettings {
  readonly sealer: CookieSealer;
  /** Other sessions than those of this cannot be opened: names of cookie, issuer and client. */
  readonly context: string;
  readonly limits: SessionLimits;
  readonly board: SessionBoard;
  readonly concurrency: Pick<ConcurrencyTable, "acquire" | "release">;
}

/** The whole session is in the browser's cookie, sealed. */
export class CookieSessionStore implements SessionStore {
  private readonly settings: CookieSessionSettings;
  /** By ticket: a browser sends the same one many times. */
  private readonly opened: GenerationCache<Session>;

  constructor(settings: CookieSessionSettings) {
    this.settings = settings;
    this.opened = new GenerationCache(OPENED_COUNT_MAX, OPENED_BYTES_MAX);
  }

  open(ticket: string, nowMs: number): Session | null {
    const { sealer, context, limits, board } = this.settings;
    let session = this.opened.get(ticket);
    if (session === undefined) {
      const text = sealer.open(ticket, context, nowMs);
      if (text === null) return null;
      session = parseSession(text);
      this.opened.set(ticket, session, ticket.length * 3);
    }
    return nowMs < sessionEndsAt(session, limits) ? board.latest(session) : null;
  }

  newHandle(): string {
    return randomBytes(16).toString("base64url");
  }

  start(session: Session): string {
    const { sealer, context, limits } = this.settings;
    return sealer.seal(formatSession(session), context, sessionEndsAt(session, limits));
  }

  update(session: Session): boolean {
    const { board } = this.settings;
    if (board.latest(session) === null) return false;
    board.tellRenewed(session);
    return true;
  }

  freshTicket(ticket: string, session: Session): string | null {
    return this.opened.get(ticket) === session ? null : this.start(session);
  }

  end({ handle }: Session): void {
    this.settings.board.tellEnded(handle);
  }

  latest(session: Session): Session | null {
    const { board } = this.settings;
    board.catchUp();
    return board.latest(session);
  }

  claim({ handle }: Session): boolean {
    return this.settings.concurrency.acquire("oidc renewal", handle, 1);
  }

  release({ handle }: Session): void {
    this.settings.concurrency.release("oidc renewal", handle);
  }
}
