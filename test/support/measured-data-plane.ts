/**
 * measured-data-plane: the real data plane in a worker that says, when it is asked to, what its heap holds
 * after a collection and how many resources keep it busy. It is asked by the address of a host name.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createDataPlane as createReal } from "../../src/runtime/create-data-plane.ts";
import type { CreateDataPlane, Endpoints } from "../../src/runtime/data-plane.ts";

/** Sent as the name of an endpoint. */
export const MEASURE = "measure.test";

export interface Measurement {
  heapBytes: number;
  resources: number;
}

/** What this thread holds. */
export function measure(): Measurement {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  // What finalizers let go of is collected by the second.
  collect();
  collect();
  return {
    heapBytes: process.memoryUsage().heapUsed,
    resources: process.getActiveResourcesInfo().length,
  };
}

export const createDataPlane: CreateDataPlane = (context) => {
  const real = createReal(context);
  const updateEndpoints = real.updateEndpoints.bind(real);
  real.updateEndpoints = (endpoints: Endpoints) => {
    updateEndpoints(endpoints);
    if (MEASURE in endpoints) context.log.info("measured", { ...measure() });
  };
  return real;
};
