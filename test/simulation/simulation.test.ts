import { test } from "node:test";
import { checkProperties } from "./properties.ts";
import { simulate } from "./simulation.ts";

const SCHEDULES = Number(process.env["SCHEDULES"] ?? 40);
const FIRST_SEED = Number(process.env["SEED"] ?? 1);

test(`simulation: stated properties hold for ${SCHEDULES} schedules of failures`, async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SCHEDULES; seed++) {
    const settings = {
      seed,
      targets: 4,
      service: { retry: { attempts: 2, budget: "20%" }, timeout: "5s" },
      troubleMs: 60_000,
      peaceMs: 60_000,
      requestsPerSecond: 20,
    };
    checkProperties(await simulate(settings), settings, {
      budget: 0.2,
      budgetFloor: 10,
      recoveryMs: 40_000,
    });
  }
});
