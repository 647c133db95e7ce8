import type { BenchContext } from "../context.ts";
import { routePath } from "../routes.ts";
import type { Scenario } from "../scenario.ts";
import { postPath, response100k, response10m, smallJson } from "../upstream.ts";
import { cache } from "./cache.ts";
import { compress } from "./compress.ts";
import { idleConnections } from "./idle-connections.ts";
import { policies } from "./policies.ts";
import { resilience } from "./resilience.ts";
import { slowClient } from "./slow-client.ts";
import { startAndReload } from "./start-and-reload.ts";
import { throughputScenario } from "./throughput.ts";
import type { Variant } from "./throughput.ts";
import { transform } from "./transform.ts";
import { validate } from "./validate.ts";

const routeCountFew = 10;
const routeCountMany = 10_000;
const smallBytes = smallJson.length;
const small: Variant = { label: "", setup: {}, requests: { path: "/users/123" } };

/** Every scenario, in the order in which they run. What they need of the certificate is known only then. */
export function listScenarios({ certificate: tls }: Pick<BenchContext, "certificate">): Scenario[] {
  return [
    throughputScenario({
      name: "plain-64",
      title: "HTTP/1.1, 64 keep-alive connections, 100 bytes of JSON",
      connectionCount: 64,
      variants: [small],
      responseBytes: smallBytes,
      targetRatio: 1.15,
    }),
    throughputScenario({
      name: "plain-256",
      title: "HTTP/1.1, 256 keep-alive connections, 100 bytes of JSON",
      connectionCount: 256,
      variants: [small],
      responseBytes: smallBytes,
      targetRatio: 1.15,
    }),
    throughputScenario({
      name: "pipelining-64",
      title: "as plain-64, Gateward with up to 16 requests in flight on an upstream connection",
      connectionCount: 64,
      variants: [{ ...small, setup: { pipelining: 16 } }],
      responseBytes: smallBytes,
      targetRatio: 1,
      notes: ["nginx and haproxy do not pipeline: they do the same as in plain-64."],
    }),
    throughputScenario({
      name: "routes-10k-64",
      title: "as plain-64, with 10 routes, with 10,000, and with 10,000 of which 10 are requested",
      connectionCount: 64,
      variants: [
        routesVariant(routeCountFew, routeCountFew, "10 routes"),
        routesVariant(routeCountMany, routeCountMany, "10,000 routes"),
        // Going through 10,000 paths costs caches something that no table can avoid.
        routesVariant(routeCountMany, routeCountFew, "10 of 10,000"),
      ],
      responseBytes: smallBytes,
      targetGrowth: 1.05,
    }),
    throughputScenario({
      name: "tls13-h1-64",
      title: "HTTP/1.1 over TLS 1.3, 64 keep-alive connections, ECDSA P-256",
      connectionCount: 64,
      variants: [{ ...small, setup: { tls } }],
      responseBytes: smallBytes,
      targetRatio: 1.3,
    }),
    throughputScenario({
      name: "h2-tls",
      title: "HTTP/2 over TLS 1.3, 64 connections with 10 streams each",
      connectionCount: 64,
      streamCount: 10,
      variants: [{ ...small, setup: { tls, http2: true } }],
      responseBytes: smallBytes,
    }),
    throughputScenario({
      name: "post-10k",
      title: "POST of 10 kB, 64 keep-alive connections",
      connectionCount: 64,
      variants: [{ label: "", setup: {}, requests: { path: postPath, bodyBytes: 10_000 } }],
      responseBytes: smallBytes,
      targetRatio: 1.3,
    }),
    throughputScenario({
      name: "response-100k",
      title: "responses of 100 kB, 64 keep-alive connections",
      connectionCount: 64,
      variants: [{ label: "", setup: {}, requests: { path: response100k.path } }],
      wideBuffers: true,
      responseBytes: response100k.bytes,
      targetRatio: 1.3,
    }),
    throughputScenario({
      name: "response-10m",
      title: "responses of 10 MB, 16 keep-alive connections",
      connectionCount: 16,
      variants: [{ label: "", setup: {}, requests: { path: response10m.path } }],
      wideBuffers: true,
      responseBytes: response10m.bytes,
      targetRatio: 1.3,
    }),
    policies,
    cache,
    transform,
    validate,
    compress,
    resilience,
    idleConnections,
    slowClient,
    startAndReload,
  ];
}

/** So many routes, of which some are requested in turn, spread evenly over the table. */
function routesVariant(routeCount: number, requestedCount: number, label: string): Variant {
  const step = routeCount / requestedCount;
  const paths = Array.from({ length: requestedCount }, (_, index) => routePath(index * step));
  return { label, setup: { routeCount }, requests: { path: routePath(0), paths } };
}
