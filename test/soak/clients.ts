/** The kinds of clients of the soak test. */
import { setTimeout as sleep } from "node:timers/promises";
import { SoakClient } from "./soak-client.ts";
import type { SoakAnswer, SoakConnection } from "./soak-connection.ts";
import { bodyOf } from "./soak-services.ts";

const host = "Host: localhost";

/** Ordinary requests, one after the other, of all kinds, on a kept connection. */
export class PlainClient extends SoakClient {
  protected async once(connection: SoakConnection, connectionName: string): Promise<void> {
    const name = `X-Connection: ${connectionName}`;
    const expected = this.send(connection, `${host}\r\n${name}\r\n`);
    const answer = await connection.answer();
    this.settings.records.requestCount += 1;
    expectAnswer(answer, expected);
    // Now and then a new connection, so that listeners accept all the time.
    if (this.round % 50 === 49) connection.close();
  }

  private send(connection: SoakConnection, fields: string): Buffer | RegExp {
    switch (this.round % 5) {
      case 0: {
        const body = bodyOf(2000 + (this.round % 3000));
        connection.write(`POST /echo HTTP/1.1\r\n${fields}Content-Length: ${body.length}\r\n\r\n`);
        connection.write(body);
        return body;
      }
      case 1:
        connection.write(`GET /turn HTTP/1.1\r\n${fields}\r\n`);
        return /^\d+$/;
      case 2:
        connection.write(`GET /bytes/60000 HTTP/1.1\r\n${fields}\r\n`);
        return bodyOf(60_000);
      case 3:
        connection.write(`GET /late/30 HTTP/1.1\r\n${fields}\r\n`);
        return bodyOf(16);
      default:
        connection.write(`GET /bytes/100 HTTP/1.1\r\n${fields}\r\n`);
        return bodyOf(100);
    }
  }
}

/** Sends in small pieces, and reads in small pieces. */
export class SlowClient extends SoakClient {
  protected async once(connection: SoakConnection, connectionName: string): Promise<void> {
    const fields = `${host}\r\nX-Connection: ${connectionName}\r\n`;
    const isUpload = this.round % 2 === 0;
    const body = bodyOf(isUpload ? 20_000 : 2_000_000);
    const head = isUpload
      ? `POST /echo HTTP/1.1\r\n${fields}Content-Length: ${body.length}\r\n\r\n`
      : `GET /bytes/${body.length} HTTP/1.1\r\n${fields}\r\n`;
    for (let sent = 0; sent < head.length; sent += 40) {
      connection.write(head.slice(sent, sent + 40));
      await sleep(25);
    }
    if (isUpload) await this.upload(connection, body);
    else void this.readSlowly(connection);
    const answer = await connection.answer();
    this.settings.records.requestCount += 1;
    expectAnswer(answer, body);
  }

  private async upload(connection: SoakConnection, body: Buffer): Promise<void> {
    for (let sent = 0; sent < body.length; sent += 1000) {
      connection.write(body.subarray(sent, sent + 1000));
      await sleep(25);
    }
  }

  /** Long enough that the gateway has to wait for its client. */
  private async readSlowly({ socket }: SoakConnection): Promise<void> {
    for (let count = 0; count < 15; count += 1) {
      socket.pause();
      await sleep(40);
      socket.resume();
      await sleep(2);
    }
  }
}

/** Leaves within requests and answers; nothing is expected but that the gateway gets over it. */
export class LeavingClient extends SoakClient {
  protected async once(connection: SoakConnection): Promise<void> {
    const requests = [
      `POST /echo HTTP/1.1\r\n${host}\r\nContent-Length: 1000\r\n\r\nhalf of`,
      `GET /late/200 HTTP/1.1\r\n${host}\r\n\r\n`,
      `GET /bytes/500000 HTTP/1.1\r\n${host}\r\n\r\n`,
      `GET /by`,
    ];
    connection.write(requests[this.round % requests.length]!);
    await sleep(60);
    connection.close();
  }
}

/** Knocks at a listener that comes and goes: what it answers is right, but it need not answer. */
export class KnockingClient extends SoakClient {
  protected async once(connection: SoakConnection): Promise<void> {
    connection.write(`GET /bytes/10 HTTP/1.1\r\n${host}\r\n\r\n`);
    const answer = await connection.answer().catch(() => undefined);
    if (answer !== undefined) expectAnswer(answer, bodyOf(10));
    connection.close();
    await sleep(2);
  }
}

const UPGRADE = `GET /tunnel HTTP/1.1\r\n${host}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n`;

/** Opens a tunnel, talks through it for up to some seconds, and closes it. */
export class TunnelClient extends SoakClient {
  protected async once(connection: SoakConnection, connectionName: string): Promise<void> {
    connection.write(`${UPGRADE}X-Connection: ${connectionName}\r\n\r\n`);
    const { status } = await connection.answer();
    if (status !== 101) throw new Error(`${status} in place of 101`);
    this.settings.records.tunnelCount += 1;
    const messageCount = 5 + ((this.round * 37) % 50);
    for (let count = 0; count < messageCount; count += 1) {
      if (this.settings.signal.aborted) break;
      const message = Buffer.from(`message ${count} of ${connectionName}`);
      connection.write(message);
      const echoed = await connection.bytes(message.length);
      if (!echoed.equals(message)) throw new Error(`a tunnel echoed ${echoed.toString("latin1")}`);
      await sleep(50);
    }
    connection.close();
  }
}

function expectAnswer({ status, body, head }: SoakAnswer, expected: Buffer | RegExp): void {
  if (status !== 200) throw new Error(`an answer was ${head.split("\r\n")[0]} ${body.toString()}`);
  const isRight =
    expected instanceof RegExp ? expected.test(body.toString()) : expected.equals(body);
  if (!isRight) throw new Error(`an answer had another body, of ${body.length} bytes`);
}
