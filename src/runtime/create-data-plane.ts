import { DataPlaneRuntime } from "./data-plane-runtime.ts";
import type { CreateDataPlane } from "./data-plane.ts";

/** The data plane of a worker thread. */
export const createDataPlane: CreateDataPlane = (context) => new DataPlaneRuntime(context);
