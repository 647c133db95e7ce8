import { Deadline } from "../../base/deadline-wheel.ts";
import type { DeadlineWheel } from "../../base/deadline-wheel.ts";
import type { Transport, TransportListener } from "../transport.ts";

/** Long enough for a client to send its request and to read why it is not served. */
const REFUSED_MS = 1_000;

/**
 * A connection that gets one answer, whatever it asks, and no place among those that are served. What
 * the client sends is read past: closing on it would be a reset, which could overtake the answer.
 */
export class RefusedConnection extends Deadline implements TransportListener {
  private readonly transport: Transport;
  private readonly wheel: DeadlineWheel;

  constructor(transport: Transport, wheel: DeadlineWheel) {
    super();
    this.transport = transport;
    this.wheel = wheel;
    transport.listener = this;
  }

  answer(text: string): void {
    const { transport } = this;
    transport.resume();
    transport.writeText(text);
    transport.end();
    this.wheel.set(this, REFUSED_MS);
  }

  onData(): void {}

  onDrain(): void {}

  onEnd(): void {
    this.wheel.release(this);
    this.transport.destroy();
  }

  onClose(): void {
    this.wheel.release(this);
  }

  onDeadline(): void {
    this.transport.destroy();
  }
}
