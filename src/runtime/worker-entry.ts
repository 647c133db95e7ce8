/** What a worker thread runs: a whole data plane, told what to do by the main thread. */
import { parentPort, workerData } from "node:worker_threads";
import { AccessLogSinks } from "../base/log/access-log-sinks.ts";
import { RepeatLimiter } from "../base/log/repeat-limiter.ts";
import { WriteTurns } from "../base/log/write-turns.ts";
import { watchEventLoopLag } from "../base/metrics/event-loop-lag.ts";
import { accessLogDroppedTotal, eventLoopLagSeconds } from "../base/metrics/families.ts";
import { type MetricIndex, MetricView } from "../base/metrics/metric-view.ts";
import type { DataPlaneModule, SharedMemory } from "./data-plane.ts";
import { createPortLog } from "./port-log.ts";
import { WorkerBoard } from "./worker-board.ts";
import { WorkerControl } from "./worker-control.ts";
import type { MessageFromWorker, MessageToWorker } from "./worker-message.ts";

/** What a worker is started with. */
export interface WorkerSettings {
  workerIndex: number;
  workerCount: number;
  shared: SharedMemory;
  /** Cells of the metrics without labels. */
  metricIndex: MetricIndex;
  /** The worker's row is how the main thread sees that it is alive, and what it does. */
  board: SharedArrayBuffer;
  /** One counter per worker: see WriteTurns. */
  writeTurns: SharedArrayBuffer;
  /** URL of the module that makes the data plane, in place of the real one. */
  dataPlaneModule?: string | undefined;
}

/** The main thread looks every few seconds; the figures on the index page are this old at most. */
const BEAT_MS = 500;
/** At most this many threads may be stuck in a write of an access log: half of libuv's pool. */
const WRITE_TURNS_MAX = 2;
const DROPS_TOLD_EVERY_MS = 10_000;

const port = parentPort!;
const settings = workerData as WorkerSettings;

const post = (message: MessageFromWorker): void => port.postMessage(message);
const { workerIndex, workerCount, shared } = settings;
const log = createPortLog(post, { worker: workerIndex });
const board = new WorkerBoard(settings.board);
const turns = new WriteTurns(new Int32Array(settings.writeTurns), workerIndex, WRITE_TURNS_MAX);
const accessLogs = new AccessLogSinks({ workerIndex, turns });
const metrics = new MetricView(shared.metrics, workerIndex, settings.metricIndex);

const { createDataPlane } = await loadDataPlane(settings.dataPlaneModule);
const dataPlane = createDataPlane({
  workerIndex,
  workerCount,
  shared,
  log,
  onRetired: (revision) => post({ type: "retired", revision }),
});

const control = new WorkerControl({
  dataPlane,
  accessLogs,
  log,
  post,
  onCommitted: (revision) => board.setRevision(workerIndex, revision),
});
port.on("message", (message: MessageToWorker) => control.handle(message));

watchEventLoopLag(metrics.gauge(eventLoopLagSeconds, []));
const drops = metrics.counter(accessLogDroppedTotal, []);
const dropWarnings = new RepeatLimiter(DROPS_TOLD_EVERY_MS);
let droppedLines = 0;

setInterval(() => {
  const { connections, inFlight } = dataPlane.stats();
  board.beat(workerIndex, connections, inFlight);
  tellFindings();
  tellDrops();
}, BEAT_MS).unref();

async function loadDataPlane(url: string | undefined): Promise<DataPlaneModule> {
  if (url === undefined) return import("./create-data-plane.ts");
  return (await import(url)) as DataPlaneModule;
}

function tellFindings(): void {
  const batch = dataPlane.takeFindings?.();
  if (batch !== undefined) post({ type: "findings", batch });
}

function tellDrops(): void {
  const dropped = accessLogs.droppedLines - droppedLines;
  if (dropped === 0) return;
  drops.add(dropped);
  droppedLines += dropped;
  if (dropWarnings.admit("") < 0) return;
  log.warn("access log lines dropped", { total: droppedLines, reason: accessLogs.failure });
}

post({ type: "online" });
