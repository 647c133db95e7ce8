import { checkProperties } from "./properties.ts";
import { simulate, type SimulationRecord } from "./simulation.ts";

/** A service with everything that keeps answers coming, as simulated: four targets, an hour's failures in a minute. */
const settings = {
  targets: 4,
  service: { retry: { attempts: 2, budget: "20%" }, timeout: "5s" },
  troubleMs: 60_000,
  peaceMs: 60_000,
  requestsPerSecond: 20,
};

const expectations = { budget: 0.2, budgetFloor: 10, recoveryMs: 40_000 };

/** Runs one schedule of failures and checks what is stated of every one. @throws AssertionError with the seed */
export async function simulateResilientService(seed: number): Promise<SimulationRecord> {
  const record = await simulate({ ...settings, seed });
  checkProperties(record, { ...settings, seed }, expectations);
  return record;
}
