import { ConnectionWatch, openProbeSocket, type ProbePlace } from "./probe-socket.ts";
import { endOnce, PASSED, type Probe } from "./probe.ts";

/** Passes when a connection can be had. */
export function tcpProbe(place: ProbePlace): Probe {
  return (done) => {
    const socket = openProbeSocket(place);
    const watch = new ConnectionWatch(socket, place);
    const end = endOnce(() => socket.destroy(), done);
    socket.on("connect", () => end(PASSED));
    socket.on("error", (error) => end(watch.outcomeOf(error)));
    return () => end(null);
  };
}
