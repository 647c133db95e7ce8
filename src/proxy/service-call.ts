import type { Fault } from "../base/faults.ts";
import { faults } from "../base/faults.ts";
import type { ServiceAnswer, ServiceRequest } from "../policy/service-call.ts";
import { BODY_LENGTH, BODY_NONE } from "../wire/exchange-streams.ts";
import { NO_LENGTH } from "../wire/http1/request-head.ts";
import { CONTENT_LENGTH, HOP_BY_HOP, HOST, knownHeaderId } from "../wire/known-header.ts";
import { AnswerCollector } from "./collected-answer.ts";
import { Exchange } from "./exchange.ts";
import { viaOfCall } from "./forwarding.ts";
import type { ProxyRuntime } from "./proxy-runtime.ts";
import type { CompiledRoute, Snapshot } from "./snapshot.ts";

const ANSWER_BYTES_MAX = 1024 * 1024;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9112 section 3.2.1; visible ASCII but `#`, as of clients. */
const ORIGIN_FORM = /^\/[!"$-~]*$/;

/** Where calls that are over go. */
interface CallOwner {
  takeBack(call: ServiceCall): void;
}

/**
 * A request that the gateway makes itself: an exchange like any other from the choice of a target on, with
 * the same retries, deadlines and counts, but no policies and no line in the log. The gateway is its client.
 */
export class ServiceCall extends Exchange {
  private readonly owner: CallOwner;
  private client: AnswerCollector | null;
  /** Whose policy waits for the answer. */
  private cause: Exchange | null;

  constructor(runtime: ProxyRuntime, owner: CallOwner) {
    super(runtime);
    this.owner = owner;
    this.client = null;
    this.cause = null;
  }

  /** @throws TypeError for what cannot be sent; nothing has begun then */
  send(snapshot: Snapshot, route: CompiledRoute, asked: ServiceRequest): Promise<ServiceAnswer> {
    this.writeHead(asked);
    const { body, within, bytesMax = ANSWER_BYTES_MAX } = asked;
    const cause = within instanceof Exchange ? within : null;
    const client = new AnswerCollector(this, bytesMax);
    this.runtime.hold(snapshot);
    this.begin(client, false, snapshot);
    this.client = client;
    this.cause = cause;
    this.route = route;
    this.priority = cause === null ? route.priority : cause.priority;
    this.authority = asked.host ?? "";
    this.host = this.authority;
    this.clientAddress = cause === null ? "" : cause.clientAddress;
    const destination = route.destination!;
    const { service } = destination;
    this.destination = destination;
    this.upstreamTarget = service.pathPrefix + asked.target;
    this.upstreamLines = viaOfCall(cause, snapshot);
    this.requestBody = BODY_NONE;
    if (body !== undefined && body.length > 0) {
      this.requestBody = BODY_LENGTH;
      this.requestBodyBytes = body.length;
      this.held.keep(body, 0, body.length);
    }
    cause?.addCall(this);
    this.startTries(service);
    return client.answer;
  }

  private writeHead({ method, target, headers = [], body }: ServiceRequest): void {
    if (!TOKEN.test(method) || method === "CONNECT") throw new TypeError(`no method: ${method}`);
    if (!ORIGIN_FORM.test(target)) throw new TypeError(`no path and query: ${target}`);
    const { request } = this;
    const { fields } = request;
    fields.clear();
    for (const [name, value] of headers) {
      if (!TOKEN.test(name) || isOfGateway(name)) throw new TypeError(`${name} cannot be sent`);
      fields.add(name, value);
    }
    const length = body === undefined ? 0 : body.length;
    if (length > 0 || EXPECTS_BODY.has(method)) fields.add("content-length", String(length));
    request.method = method;
    request.targetStart = 0;
    request.targetEnd = 0;
    request.versionMinor = 1;
    request.hostIndex = -1;
    request.contentLength = length > 0 ? length : NO_LENGTH;
    request.chunked = false;
    request.keepAlive = true;
    request.upgradeIndex = -1;
    request.expectContinue = false;
    request.acceptsTrailers = false;
  }

  /** What has caused it is over. */
  cancel(): void {
    if (this.client === null) return;
    this.client.refuse(faults["client-gone"]);
    this.endWithoutClient(faults["client-gone"]);
  }

  /** @internal `client` has had enough, unless it has got its answer and this serves another. */
  leave(client: AnswerCollector): void {
    if (this.client === client) this.endWithoutClient(faults["client-gone"]);
  }

  /** Only whoever asked knows whether it is a fault of the exchange. */
  protected override noteFault(fault: Fault): void {
    this.fault = fault;
  }

  protected override record(): void {
    this.countBytes(this.destination!.service);
  }

  /** The gateway keeps no cookies. */
  protected override addSessionCookie(): void {}

  protected override giveBack(snapshot: Snapshot): void {
    this.cause?.removeCall(this);
    this.cause = null;
    this.client = null;
    this.runtime.letGo(snapshot);
    this.owner.takeBack(this);
  }
}

/** RFC 9110 section 8.6. */
const EXPECTS_BODY = new Set(["POST", "PUT", "PATCH"]);

/** Fields that say where the message ends, whom it is for, or what becomes of the connection. */
function isOfGateway(name: string): boolean {
  const id = knownHeaderId(name);
  return HOP_BY_HOP[id] === 1 || id === HOST || id === CONTENT_LENGTH || name === "trailer";
}
