/**
 * policy-run: puts one request and its response past a policy, in memory: the real heads and the real
 * view of the exchange, without sockets, routes or a service.
 */
import assert from "node:assert/strict";
import type { z } from "zod";
import type { BodyStage } from "../../src/policy/body-stage.ts";
import type { PolicyDefinition, PolicyHooks, Verdict } from "../../src/policy/policy.ts";
import { ExchangeView } from "../../src/proxy/exchange-view.ts";
import { locate } from "../../src/proxy/locate.ts";
import { testEnvironment, type TestSurroundings } from "../../src/testing/test-environment.ts";
import type { ClientConnection, ClientStream } from "../../src/wire/exchange-streams.ts";
import type { Fields } from "../../src/wire/fields.ts";
import { parseRequestHead } from "../../src/wire/http1/parse-request-head.ts";
import { parseResponseHead } from "../../src/wire/http1/parse-response-head.ts";

/** Headers by their names as sent; several lines of one name as a list. */
export type Headers = Readonly<Record<string, string | readonly string[]>>;

export interface PolicyScene {
  method?: string;
  /** Path and query. */
  target?: string;
  headers?: Headers;
  clientAddress?: string;
  /** "http" by default. */
  scheme?: string;
  /** The request comes from one of `trustedProxies`. */
  isTrusted?: boolean;
  /** Of the service's answer; 200 by default. */
  status?: number;
  responseHeaders?: Headers;
  /** What the policy's environment has beside the usual. */
  environment?: TestSurroundings;
}

export interface PolicyRun {
  exchange: ExchangeView;
  /** What `onRequest` answered; undefined: the request goes on. */
  verdict: Verdict;
  /** What `onResponse` answered; it runs where the request went on. */
  responseVerdict: Verdict;
  /** Lines that the service is sent, names in lower case, without Host. */
  sent: string[];
  /** Lines that the client is sent. */
  answered: string[];
}

const limits = { headBytesMax: 65_536, uriBytesMax: 65_536, fieldCountMax: 1000 };

/** An exchange that nothing happens to by itself. */
class StillExchange extends ExchangeView {
  /** What policies have asked for; no body passes them. */
  readonly requestStages: BodyStage[] = [];
  readonly responseStages: BodyStage[] = [];

  get requestHasBody(): boolean {
    return this.request.hasBody;
  }

  get responseHasBody(): boolean {
    const { status, contentLength } = this.response;
    return this.method !== "HEAD" && status !== 204 && status !== 304 && contentLength !== 0;
  }

  get mayRefresh(): boolean {
    return false;
  }

  stageRequest(stage: BodyStage): void {
    this.requestStages.push(stage);
  }

  stageResponse(stage: BodyStage): void {
    this.responseStages.push(stage);
  }

  override get routeName(): string {
    return "a route";
  }

  override get serviceName(): string {
    return "a service";
  }

  onDeadline(): void {}
}

/** @param options as users write them; undefined where they write the policy's name alone. */
export async function runPolicy<Schema extends z.ZodType>(
  policy: PolicyDefinition<Schema>,
  options: z.input<Schema> | undefined,
  scene: PolicyScene = {},
): Promise<PolicyRun> {
  const environment = testEnvironment(policy, scene.environment);
  return await runHooks(policy.compile(policy.schema.parse(options ?? {}), environment), scene);
}

/** The same past a policy that has been compiled, and may have met other requests. */
export async function runHooks(hooks: PolicyHooks, scene: PolicyScene = {}): Promise<PolicyRun> {
  const exchange = requestOf(scene);
  const asks = exchange.method === "OPTIONS" && exchange.header("origin") !== undefined;
  const isPreflight = asks && exchange.header("access-control-request-method") !== undefined;
  const answer = isPreflight ? hooks.onPreflight?.(exchange) : undefined;
  const verdict = answer ?? (await hooks.onRequest?.(exchange));
  const sent = linesOf(exchange.request.fields).filter((line) => !line.startsWith("host:"));
  let responseVerdict: Verdict;
  if (verdict === undefined) {
    fillResponse(exchange, scene);
    responseVerdict = await hooks.onResponse?.(exchange);
  }
  const answered = linesOf(exchange.response.fields);
  hooks.onEnd?.(exchange);
  return { exchange, verdict, responseVerdict, sent, answered };
}

/** A request that has come and been located. */
export function requestOf(scene: PolicyScene): ExchangeView {
  const { method = "GET", target = "/", clientAddress = "192.0.2.1", isTrusted = false } = scene;
  const exchange = new StillExchange();
  const head = `${method} ${target} HTTP/1.1\r\nhost: a.example\r\n${textOf(scene.headers)}\r\n`;
  const bytes = Buffer.from(head, "latin1");
  const end = parseRequestHead(bytes, 0, bytes.length, exchange.request, limits);
  assert.equal(end, bytes.length, "not a request that the gateway would read");
  exchange.stream = {
    connection: connectionOf(clientAddress),
    protocol: "HTTP/1.1",
  } as ClientStream;
  exchange.clientAddress = clientAddress;
  exchange.peerIsTrusted = isTrusted;
  exchange.scheme = scene.scheme ?? "http";
  assert.equal(locate(exchange), null);
  return exchange;
}

/** Its service has answered. */
export function fillResponse(
  exchange: ExchangeView,
  { status = 200, responseHeaders }: PolicyScene,
) {
  const { response } = exchange;
  exchange.responseIsFromService = true;
  const head = `HTTP/1.1 ${status} Fine\r\n${textOf(responseHeaders)}\r\n`;
  const bytes = Buffer.from(head, "latin1");
  assert.equal(parseResponseHead(bytes, 0, bytes.length, response, limits), bytes.length);
}

function textOf(headers: Headers = {}): string {
  return Object.entries(headers)
    .flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${one}\r\n`))
    .join("");
}

function linesOf(fields: Fields): string[] {
  const lines: string[] = [];
  fields.each((name, value) => lines.push(`${name.toLowerCase()}: ${value}`));
  return lines;
}

function connectionOf(peerAddress: string): ClientConnection {
  return {
    peerAddress,
    peerPort: 1234,
    localPort: 8080,
    isTls: false,
    listenerKey: "memory",
    serverName: "",
    tlsSocket: null,
    forwarding: null,
  };
}
