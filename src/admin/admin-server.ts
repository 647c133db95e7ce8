import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AdminConfig } from "../config/config.ts";
import type { AdminDoor, GatewayView } from "../runtime/gateway-view.ts";
import { type AdminReply, type AdminResource, problemReply } from "./admin-resource.ts";
import { isAllowedHost } from "./allowed-host.ts";
import { breakerResource } from "./breaker-resource.ts";
import { cacheResource } from "./cache-resource.ts";
import { cachePurgeResource } from "./cache-purge-resource.ts";
import { healthzResource } from "./healthz-resource.ts";
import { indexResource } from "./index-resource.ts";
import { metricsResource } from "./metrics-resource.ts";
import { readJson } from "./read-json.ts";
import { readyzResource } from "./readyz-resource.ts";
import { servicesResource } from "./services-resource.ts";
import { validationClearResource, validationResource } from "./validation-resource.ts";

const own: readonly AdminResource[] = [
  healthzResource,
  readyzResource,
  metricsResource,
  servicesResource,
  breakerResource,
  cacheResource,
  cachePurgeResource,
  validationResource,
  validationClearResource,
];
const resources = new Map([...own, indexResource(own)].map((each) => [each.path, each]));

/** Scrapers and probes are few: what is more is a mistake or an attack. */
const CONNECTIONS_MAX = 256;

/** The admin server, which follows the configuration from one address to another. */
export class AdminServer implements AdminDoor {
  private readonly gateway: GatewayView;
  private current: Server | undefined;
  private prepared: Server | undefined;

  constructor(gateway: GatewayView) {
    this.gateway = gateway;
  }

  async prepare(config: AdminConfig | false): Promise<void> {
    this.prepared = config === false ? undefined : await this.listen(config);
  }

  commit(): void {
    void end(this.current);
    this.current = this.prepared;
    this.prepared = undefined;
  }

  abort(): void {
    void end(this.prepared);
    this.prepared = undefined;
  }

  async close(): Promise<void> {
    this.abort();
    const { current } = this;
    this.current = undefined;
    await end(current);
  }

  private async listen(config: AdminConfig): Promise<Server> {
    try {
      return await listen(this.gateway, config);
    } catch (error) {
      const address = this.current?.address();
      const isOwn = typeof address === "object" && address?.port === config.port;
      throw new Error(`admin: ${listenProblem(config, error as NodeJS.ErrnoException, isOwn)}`, {
        cause: error,
      });
    }
  }
}

async function listen(gateway: GatewayView, { host, port }: AdminConfig): Promise<Server> {
  const server = createServer((request, response) => {
    void answer(gateway, host, request, response);
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.listen({ host, port });
  await once(server, "listening");
  // Later trouble, such as no descriptors left to accept with, is no reason to end.
  server.on("error", () => {});
  return server;
}

/** Why the address cannot be had, and what to do. `isOwn`: its port is the one listened on until now. */
function listenProblem(
  { key }: AdminConfig,
  { code, message }: NodeJS.ErrnoException,
  isOwn: boolean,
): string {
  if (code !== "EADDRINUSE") return `cannot listen on ${key}: ${message}`;
  if (isOwn) return "the host cannot change while the port stays; restart, or change the port too";
  return `${key} is taken by another program; choose another address, or false for none`;
}

async function end(server: Server | undefined): Promise<void> {
  if (server === undefined) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
}

async function answer(
  gateway: GatewayView,
  boundHost: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const found = findResource(request.url?.split("?", 1)[0] ?? "/");
  const { resource } = found;
  const reply = await replyTo(gateway, boundHost, request, found);
  const { status, contentType, body } = reply;
  response.writeHead(status, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(status === 405 ? { allow: methodsOf(resource) } : {}),
    ...(request.complete ? {} : { connection: "close" }),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function replyTo(
  gateway: GatewayView,
  boundHost: string,
  request: IncomingMessage,
  { resource, name }: FoundResource,
): Promise<AdminReply> {
  const { method = "", headers } = request;
  if (!isAllowedHost(headers.host, boundHost)) {
    return problemReply("misdirected-request", "This address answers to loopback names only.");
  }
  if (resource === undefined)
    return problemReply("no-route", "The resource / lists what there is.");
  if (!methodsOf(resource).split(", ").includes(method)) {
    return problemReply("method-not-allowed", "");
  }
  try {
    if ("read" in resource) return resource.read(gateway, headers);
    const body = await readJson(request);
    return "refusal" in body ? body.refusal : resource.write(gateway, body.value, name);
  } catch {
    // Whatever cannot be told, the gateway serves on.
    return problemReply("internal-error", "The resource cannot be read now.");
  }
}

interface FoundResource {
  resource: AdminResource | undefined;
  /** Of whom it is, where its path has `NAME`. */
  name: string;
}

function findResource(path: string): FoundResource {
  const resource = resources.get(path);
  if (resource !== undefined) return { resource, name: "" };
  const [, parent = "", name = "", rest = ""] = /^(\/\w+\/)([\w.-]+)(\/\w+)$/.exec(path) ?? [];
  return { resource: resources.get(`${parent}NAME${rest}`), name };
}

function methodsOf(resource: AdminResource | undefined): string {
  return resource !== undefined && "write" in resource ? "POST" : "GET, HEAD";
}
