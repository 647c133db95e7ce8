/**
 * measured-data-plane: the real data plane in a worker that says, when it is asked to, what its heap holds
 * after a collection and how many resources keep it busy. It is asked by the address of a host name.
 */
import { createDataPlane as createReal } from "../../src/runtime/create-data-plane.ts";
import type { CreateDataPlane, Endpoints } from "../../src/runtime/data-plane.ts";
import { measureThread } from "./measure-thread.ts";

/** Sent as the name of an endpoint. */
export const MEASURE = "measure.test";

export const createDataPlane: CreateDataPlane = (context) => {
  const real = createReal(context);
  const updateEndpoints = real.updateEndpoints.bind(real);
  real.updateEndpoints = (endpoints: Endpoints) => {
    updateEndpoints(endpoints);
    if (MEASURE in endpoints) context.log.info("measured", { ...measureThread() });
  };
  return real;
};
