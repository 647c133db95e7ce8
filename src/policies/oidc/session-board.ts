import { BroadcastChannel, receiveMessageOnPort, type MessagePort } from "node:worker_threads";
import { GenerationCache } from "../../base/generation-cache.ts";
import type { Session } from "./session.ts";

/** Of sessions that were renewed or ended lately. */
const COUNT_MAX = 4000;
const BYTES_MAX = 16 * 1024 * 1024;

type Notice = { readonly renewed: Session } | { readonly ended: string };

/**
 * What the workers of this process tell each other about sessions that live in cookies: their renewals, so
 * that a request which still brings the cookie of before is not the second to use a refresh token; and
 * their ends, since a cookie cannot be called back. Bounded; forgotten when the process ends.
 */
export class SessionBoard implements Disposable {
  private readonly channel: BroadcastChannel;
  private readonly renewed: GenerationCache<Session>;
  private readonly ended: GenerationCache<true>;

  /** @param name boards of one name hear each other, in all threads. */
  constructor(name: string) {
    this.renewed = new GenerationCache(COUNT_MAX, BYTES_MAX);
    this.ended = new GenerationCache(COUNT_MAX * 10, COUNT_MAX * 10);
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = (event) => this.take((event as { data: Notice }).data);
    this.channel.unref();
  }

  /** Of a session whose tokens are as they were there is nothing to tell. */
  tellRenewed(session: Session): void {
    const known = this.renewed.get(session.handle);
    if (session.version > (known === undefined ? 0 : known.version))
      this.tell({ renewed: session });
  }

  tellEnded(handle: string): void {
    this.tell({ ended: handle });
  }

  /** The latest version of it: itself, unless another one has been told of. null when it has ended. */
  latest(session: Session): Session | null {
    if (this.ended.get(session.handle) === true) return null;
    const renewed = this.renewed.get(session.handle);
    return renewed !== undefined && renewed.version > session.version ? renewed : session;
  }

  /**
   * Hears what other threads have said so far. Whoever has let go of a claim has spoken before, but what was
   * said may still wait for this thread's next turn.
   */
  catchUp(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.channel as unknown as MessagePort);
      if (received === undefined) return;
      this.take(received.message as Notice);
    }
  }

  [Symbol.dispose](): void {
    this.channel.close();
  }

  private tell(notice: Notice): void {
    this.take(notice);
    this.channel.postMessage(notice);
  }

  private take(notice: Notice): void {
    if ("ended" in notice) {
      this.renewed.delete(notice.ended);
      this.ended.set(notice.ended, true, 1);
      return;
    }
    const { renewed } = notice;
    const known = this.renewed.get(renewed.handle);
    if (known !== undefined && known.version > renewed.version) return;
    this.renewed.set(renewed.handle, renewed, renewed.idToken.length + renewed.accessToken.length);
  }
}
