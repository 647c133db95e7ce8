/** A command that tests start, and the Debian package that brings it. */
export interface DebianPackage {
  readonly package: string;
  readonly commands: readonly string[];
  /** What tests do with it. */
  readonly reason: string;
}

/** What tests need from Debian: `npm test` installs it where it may, else the tests say so. */
export const debianPackages: readonly DebianPackage[] = [
  {
    package: "chromium",
    commands: ["chromium"],
    reason: "a browser: pages, cookies and redirects as users meet them",
  },
  {
    package: "curl",
    commands: ["curl"],
    reason: "a client that is not ours: HTTP/1.1, HTTP/2, TLS, PROXY protocol",
  },
  {
    package: "nginx-light",
    commands: ["nginx"],
    reason: "a server that is not ours, behind the gateway",
  },
  {
    package: "nghttp2-client",
    commands: ["nghttp", "h2load"],
    reason: "HTTP/2 clients: one that shows frames, one that opens many streams at once",
  },
  {
    package: "openssl",
    commands: ["openssl"],
    reason: "certificates for tests; s_client for SNI, resumption and client certificates",
  },
  {
    package: "redis-server",
    commands: ["redis-server"],
    reason: "what machines share: a real Redis, killed and brought back, Sentinels, a Cluster",
  },
  {
    package: "varnish",
    commands: ["varnishd"],
    reason: "a cache that is not ours, beside the gateway's in the benchmark's own test",
  },
  {
    package: "wrk",
    commands: ["wrk"],
    reason: "many requests at once, and the benchmark's own test",
  },
];
