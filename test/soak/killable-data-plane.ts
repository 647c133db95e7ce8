/**
 * killable-data-plane: the real data plane in a worker that can be measured and killed from outside: it
 * listens on a channel that all threads of the process share.
 */
import { createDataPlane as createReal } from "../../src/runtime/create-data-plane.ts";
import type { CreateDataPlane, DataPlanePayload } from "../../src/runtime/data-plane.ts";
import { measureThread } from "../support/measure-thread.ts";
import { openSoakChannel, type WayToDie } from "./soak-channel.ts";

export const createDataPlane: CreateDataPlane = (context) => {
  const real = createReal(context);
  const cells = new Int32Array(context.shared.counters.buffer);
  let slotMax = 0;
  const prepare = real.prepare.bind(real);
  real.prepare = (payload: DataPlanePayload, resources) => {
    slotMax = Math.max(...Object.values(payload.counters));
    return prepare(payload, resources);
  };
  const channel = openSoakChannel();
  channel.onmessage = ({ data }) => {
    if (data.type === "kill" && data.worker === context.workerIndex) die(data.way);
    if (data.type !== "measure") return;
    let counted = 0;
    for (const cell of cells.subarray(0, context.shared.counters.slots)) counted += Math.abs(cell);
    const thread = `worker ${context.workerIndex}`;
    channel.postMessage({ type: "measured", thread, ...measureThread(), slotMax, counted });
  };
  return real;
};

function die(way: WayToDie): void {
  switch (way) {
    case "throw":
      throw new Error("killed by the soak test");
    case "reject":
      void Promise.reject(new Error("killed by the soak test"));
      break;
    case "exit":
      process.exit(3);
  }
}
