/**
 * event-loop-lag: how long a thread keeps its events waiting, told by how late a timer fires. One
 * timer a second on each thread; `monitorEventLoopDelay` would wake it a hundred times.
 */
import type { Gauge } from "./metric-view.ts";

const INTERVAL_MS = 1000;

/** Keeps `gauge` at the last lag in seconds until disposed; does not keep the process alive. */
export function watchEventLoopLag(gauge: Gauge, intervalMs: number = INTERVAL_MS): Disposable {
  let dueMs = performance.now() + intervalMs;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    gauge.set(Math.max(0, nowMs - dueMs) / 1000);
    dueMs = nowMs + intervalMs;
  }, intervalMs);
  timer.unref();
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      gauge.set(0);
    },
  };
}
