import type { UpstreamStream } from "../wire/exchange-streams.ts";

/** Takes the place of a service that is to fail in a drill: it takes the request, and never answers. */
class DrilledStream implements UpstreamStream {
  readonly congested = false;
  readonly reused = false;

  sendHead(): void {}
  sendBody(): void {}
  sendEnd(): void {}
  pauseBody(): void {}
  resumeBody(): void {}
  abort(): void {}
}

/** It knows nothing of whom it serves. */
export const drilledStream: UpstreamStream = new DrilledStream();
