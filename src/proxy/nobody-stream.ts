import type { ClientConnection, ClientStream } from "../wire/exchange-streams.ts";

/** Takes the place of a client that has been answered: whatever comes for it is thrown away. */
export class NobodyStream implements ClientStream {
  readonly connection: ClientConnection;
  readonly protocol: string;
  readonly congested = false;

  constructor({ connection, protocol }: ClientStream) {
    this.connection = connection;
    this.protocol = protocol;
  }

  sendHead(): void {}
  sendBody(): void {}
  sendWhole(): void {}
  sendEnd(): void {}
  abort(): void {}
  pauseBody(): void {}
  resumeBody(): void {}
  closeAfterResponse(): void {}
  sendInformational(): void {}
}
