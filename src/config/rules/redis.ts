import { warningAt, type Finding } from "../mistake.ts";
import type { Subject } from "./subject.ts";

/** Rules on where the machines' shared state is. */
export function checkRedis({ config }: Subject): Finding[] {
  const { redis } = config;
  if (redis === undefined || redis.tls === false || redis.tls.verify) return [];
  const message = "the certificate of Redis is not verified: anyone can stand in for it";
  return [warningAt(["redis", "tls", "verify"], message, "name its authority in ca")];
}
