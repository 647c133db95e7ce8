import type { Gateway } from "./gateway.ts";
import { metricValue } from "./metric-value.ts";

/** Resident memory of the gateway's process, all threads. */
export async function memoryBytes(gateway: Gateway): Promise<number> {
  return await metricValue(gateway, "process_resident_memory_bytes");
}
