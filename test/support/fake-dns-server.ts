import { createSocket } from "node:dgram";
import type { RemoteInfo, Socket } from "node:dgram";
import { once } from "node:events";

const TYPE_A = 1;
const TYPE_AAAA = 28;
const RCODE = { ok: 0, serverFailure: 2, noSuchName: 3 } as const;

/** What the server says of a name; several fields may be set. */
export interface FakeAnswer {
  a?: readonly string[];
  aaaa?: readonly string[];
  /** Seconds, default 0. */
  ttl?: number;
  /** Answers SERVFAIL. */
  fails?: boolean;
  /** Answers nothing at all. */
  silent?: boolean;
}

/**
 * A DNS server (RFC 1035) on a free UDP port of loopback, whose answers tests change as they go. It knows
 * A and AAAA; names it was not told of do not exist.
 */
export class FakeDnsServer implements AsyncDisposable {
  readonly names: Map<string, FakeAnswer>;
  /** Every question, as `A users.test`. */
  readonly questions: string[];
  private readonly socket: Socket;

  private constructor(socket: Socket) {
    this.names = new Map();
    this.questions = [];
    this.socket = socket;
    socket.on("message", (query, peer) => this.onQuery(query, peer));
  }

  static async start(): Promise<FakeDnsServer> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new FakeDnsServer(socket);
  }

  /** `127.0.0.1:port`. */
  get address(): string {
    const { address, port } = this.socket.address();
    return `${address}:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => {
      this.socket.close(resolve);
    });
  }

  private onQuery(query: Buffer, peer: RemoteInfo): void {
    const { name, type, end } = parseQuestion(query);
    this.questions.push(`${type === TYPE_A ? "A" : type === TYPE_AAAA ? "AAAA" : type} ${name}`);
    const answer = this.names.get(name);
    if (answer?.silent === true) return;
    const records = answer === undefined ? [] : encodeRecords(answer, type);
    const rcode =
      answer === undefined
        ? RCODE.noSuchName
        : answer.fails === true
          ? RCODE.serverFailure
          : RCODE.ok;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    // An authoritative response, recursion desired and available.
    header.writeUInt16BE(0x8580 | rcode, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const response = Buffer.concat([header, query.subarray(12, end), ...records]);
    this.socket.send(response, peer.port, peer.address);
  }
}

function parseQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length !== 0; length = query[at]!) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const name = labels.join(".").toLowerCase();
  return { name, type: query.readUInt16BE(at + 1), end: at + 5 };
}

function encodeRecords(answer: FakeAnswer, type: number): Buffer[] {
  if (answer.fails === true) return [];
  const addresses = type === TYPE_A ? answer.a : type === TYPE_AAAA ? answer.aaaa : undefined;
  return (addresses ?? []).map((address) => {
    const data = type === TYPE_A ? encodeIpv4(address) : encodeIpv6(address);
    const head = Buffer.alloc(12);
    // The name is the question's, by a pointer to it (RFC 1035 4.1.4).
    head.writeUInt16BE(0xc00c, 0);
    head.writeUInt16BE(type, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt32BE(answer.ttl ?? 0, 6);
    head.writeUInt16BE(data.length, 10);
    return Buffer.concat([head, data]);
  });
}

function encodeIpv4(address: string): Buffer {
  return Buffer.from(address.split(".").map(Number));
}

function encodeIpv6(address: string): Buffer {
  const [head = "", tail] = address.split("::");
  const first = head === "" ? [] : head.split(":");
  const last = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => "0");
  const words = [...first, ...zeros, ...last].map((word) => Number.parseInt(word, 16));
  return Buffer.from(words.flatMap((word) => [word >> 8, word & 255]));
}
