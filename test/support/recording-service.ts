/** recording-service: a raw service that answers every whole request alike and keeps what it was sent. */
import type { RawConnection } from "./raw-connection.ts";
import type { Cleanup } from "./cleanup.ts";
import type { RawMessage } from "./raw-message.ts";
import { plainResponse, startRawServer } from "./raw-server.ts";
import type { RawServer } from "./raw-server.ts";

export class RecordingService {
  readonly server: RawServer;
  #requests: RawMessage[] = [];

  constructor(server: RawServer, requests: RawMessage[]) {
    this.server = server;
    this.#requests = requests;
  }

  get url(): string {
    return this.server.url;
  }

  /** The whole requests that came since the last call, in the order in which their ends came. */
  take(): RawMessage[] {
    return this.#requests.splice(0);
  }

  /** Connections on which part of a request has come. */
  unfinished(): RawConnection[] {
    return this.server.connections.filter((connection) => connection.unread.length > 0);
  }
}

/** Starts it; the test's end stops it. */
export async function startRecordingService(t: Cleanup): Promise<RecordingService> {
  const requests: RawMessage[] = [];
  const server = await startRawServer(t, async (connection) => {
    for (;;) {
      const request = await connection.readRequest(3_600_000);
      requests.push(request);
      const isHead = request.startLine.startsWith("HEAD ");
      await connection.send(
        isHead ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" : plainResponse("ok"),
      );
    }
  });
  return new RecordingService(server, requests);
}
