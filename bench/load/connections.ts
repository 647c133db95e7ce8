import { readProcFile } from "./process-group.ts";

/** TCP connections opened by anyone on this machine since it started, from /proc/net/snmp. */
export function readOpenedConnections(): number {
  return parseActiveOpens(readProcFile("/proc/net/snmp") ?? "");
}

/** The `Tcp:` part of snmp is a line of names and a line of values in the same order. */
export function parseActiveOpens(snmp: string): number {
  const [names = "", values = ""] = snmp.split("\n").filter((line) => line.startsWith("Tcp: "));
  const index = names.split(" ").indexOf("ActiveOpens");
  return Number(values.split(" ")[index] ?? 0);
}
