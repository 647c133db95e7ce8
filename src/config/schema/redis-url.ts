import { Refusal } from "../../policy/values/refusal.ts";
import { parseHost, parsePort } from "./address.ts";

/** What a URL of Redis says; what it leaves open is undefined. */
export interface RedisUrl {
  isSecure: boolean;
  host: string;
  port: number | undefined;
  username: string | undefined;
  password: string | undefined;
  database: number | undefined;
}

/**
 * `redis://[[user]:password@]host[:port][/database]`, `rediss://` for TLS. User and password are
 * percent-encoded. Nothing of what is written is repeated in a refusal: it may be the password.
 */
export function parseRedisUrl(written: string): RedisUrl {
  const parts = /^(rediss?):\/\/(?:([^@/?#]*)@)?([^@/?#]*)(\/[^?#]*)?([?#].*)?$/i.exec(written);
  if (parts === null) {
    const hint = written.split("@").length > 2 ? "write @ in a password as %40" : undefined;
    throw new Refusal("not a URL of Redis", hint);
  }
  const [, scheme = "", user, authority = "", path = "", rest] = parts;
  if (rest !== undefined) throw new Refusal("the URL has a query or fragment", "drop it");
  const login = user === undefined ? undefined : parseLogin(user);
  return {
    isSecure: scheme.toLowerCase() === "rediss",
    ...parseAuthority(authority),
    username: login?.username,
    password: login?.password,
    database: parseDatabase(path),
  };
}

function parseLogin(written: string) {
  const colon = written.indexOf(":");
  const username = decoded(colon === -1 ? written : written.slice(0, colon));
  const password = colon === -1 ? "" : decoded(written.slice(colon + 1));
  return {
    username: username === "" ? undefined : username,
    password: password === "" ? undefined : password,
  };
}

function decoded(written: string): string {
  try {
    return decodeURIComponent(written);
  } catch {
    throw new Refusal("the login has a stray %", "write a % in it as %25");
  }
}

function parseAuthority(written: string): { host: string; port: number | undefined } {
  const parts = /^(\[[^\]]*\]|[^:]+)(?::(\d*))?$/.exec(written);
  if (parts === null) throw new Refusal("the URL names no host", "write redis://host:6379");
  const [, host = "", port = ""] = parts;
  if (port === "0") throw new Refusal("port 0 cannot be connected to");
  return { host: parseHost(host), port: port === "" ? undefined : parsePort(port) };
}

function parseDatabase(path: string): number | undefined {
  if (path === "" || path === "/") return undefined;
  if (/^\/\d{1,5}$/.test(path)) return Number(path.slice(1));
  throw new Refusal("the URL's path is no database", "write its number: redis://host:6379/0");
}
