import { ConnectionWatch, openProbeSocket, type ProbePlace } from "./probe-socket.ts";
import { PASSED, type Probe, type ProbeOutcome } from "./probe.ts";

/** Passes when a connection can be had. */
export function tcpProbe(place: ProbePlace): Probe {
  return (done) => {
    const socket = openProbeSocket(place);
    const watch = new ConnectionWatch(socket, place);
    let isOver = false;
    const end = (outcome: ProbeOutcome | null): void => {
      if (isOver) return;
      isOver = true;
      socket.destroy();
      if (outcome !== null) done(outcome);
    };
    socket.on("connect", () => end(PASSED));
    socket.on("error", (error) => end(watch.outcomeOf(error)));
    return () => end(null);
  };
}
