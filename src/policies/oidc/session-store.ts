import type { Session } from "./session.ts";

/**
 * Where sessions are. What the browser holds of one is its `ticket`. Promises only where something has to
 * be waited for; they reject when the store cannot be reached.
 */
export interface SessionStore {
  /** The session of a ticket; null for none, one that is over, or what is no ticket. */
  open(ticket: string, nowMs: number): Session | null | Promise<Session | null>;
  /** A name for a new session. */
  newHandle(): string;
  /** Keeps a session that begins. @returns its ticket */
  start(session: Session): string | Promise<string>;
  /** Keeps a session that goes on. @returns false when it has been ended meanwhile */
  update(session: Session): boolean | Promise<boolean>;
  /** What the browser is to bring from now on, where the `ticket` it brought is not of this very session. */
  freshTicket(ticket: string, session: Session): string | null;
  /** Ends it: no ticket opens it any more, as far as the store reaches. */
  end(session: Session): void | Promise<void>;
  /** The latest version of it that is known; null when it has been ended. */
  latest(session: Session, nowMs: number): Session | null | Promise<Session | null>;
  /** Takes the right to renew it, which one has at a time. */
  claim(session: Session): boolean | Promise<boolean>;
  release(session: Session): void;
}
