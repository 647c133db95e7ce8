import { join } from "node:path";

/** Where things are, the same for the whole run. */
export interface SoakPlaces {
  folder: string;
  /** Listened on in every turn: no request there may ever fail. */
  port: number;
  /** The same with TLS. */
  tlsPort: number;
  certFile: string;
  keyFile: string;
  /** Listened on in some turns. */
  comingPort: number;
  adminPort: number;
  /** Two services that answer alike. */
  serviceUrls: readonly [string, string];
  servicePort: number;
  workerCount: number;
}

/** File of the access log, in the turns that have one: a line for each request, with worker and connection. */
export const accessLogName = "access.log";

const ROUTE_COUNT = 20;

/**
 * The configuration of one turn: every turn differs from the one before in routes, services, targets,
 * balancing, limits, and often in listeners. `/bytes`, `/late`, `/echo` and `/tunnel` are always there;
 * `/turn` answers with the turn.
 */
export function turningDocument(turn: number, places: SoakPlaces, logsAccess: boolean): object {
  const { folder, port, tlsPort, certFile, keyFile, comingPort, adminPort } = places;
  const [one, other] = places.serviceUrls;
  const listen: object[] = [
    { host: "127.0.0.1", port },
    { host: "127.0.0.1", port: tlsPort, tls: { cert: certFile, key: keyFile } },
  ];
  if (turn % 3 === 1) listen.push({ host: "127.0.0.1", port: comingPort });
  if (turn % 4 === 1) listen.push({ path: join(folder, `turn-${turn % 8}.sock`) });
  const targets = [[one], [one, other], [other, { url: one, drain: true }]][turn % 3]!;
  const balances = ["round-robin", "least-requests", "random", "peak-ewma"];
  const service = {
    targets,
    balance: balances[turn % balances.length],
    connections: { idle: 64 + (turn % 2), idleTimeout: "1s" },
  };
  const extraRoutes = Array.from({ length: ROUTE_COUNT + (turn % 5) }, (_, index) => ({
    match: `GET /turn-${turn % 7}/${index}/:id(\\d+)`,
    service: `extra-${turn % 4}`,
  }));
  return {
    listen,
    admin: `127.0.0.1:${adminPort}`,
    workers: places.workerCount,
    log: {
      level: "info",
      format: "json",
      access: logsAccess && {
        file: join(folder, accessLogName),
        fields: ["worker", "status", "request.header.x-connection"],
      },
    },
    limits: { headBytes: `${32 + (turn % 2)}kb`, streams: 100 + (turn % 3) },
    // Clients that leave must be forgotten before what is left at rest is counted.
    timeouts: { shutdown: "2s", idle: "60s", write: "2s" },
    services: {
      stable: service,
      [`extra-${turn % 4}`]: { targets: [`http://localhost:${places.servicePort}`] },
    },
    routes: [
      { match: "/bytes/*", service: "stable" },
      { match: "/late/*", service: "stable", timeout: `${20 + (turn % 3)}s` },
      { match: "/echo", service: "stable" },
      { match: "/tunnel", service: "stable" },
      { match: "GET /turn", respond: { body: String(turn) } },
      ...extraRoutes,
    ],
  };
}

/**
 * A document that is refused: by its own mistakes, by a port that somebody else has, or only by workers, when
 * they have listened on another port already. The address is one for documentation (RFC 5737).
 */
export function refusedDocument(turn: number, places: SoakPlaces): object {
  const document = turningDocument(turn, places, false);
  const coming = { host: "127.0.0.1", port: places.comingPort };
  switch (turn % 3) {
    case 0:
      return { ...document, routes: [{ match: "/*", service: "nobody" }] };
    case 1:
      return { ...document, listen: [coming, { host: "127.0.0.1", port: places.servicePort }] };
    default:
      return { ...document, listen: [coming, { host: "192.0.2.1", port: places.port }] };
  }
}
