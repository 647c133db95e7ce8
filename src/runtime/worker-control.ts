import type { AccessLogSinks } from "../base/log/access-log-sinks.ts";
import { plainError } from "../base/log/plain-error.ts";
import type { LogConfig } from "../config/config.ts";
import type { DataPlane, DataPlanePayload } from "./data-plane.ts";
import type { PortLog } from "./port-log.ts";
import type { MessageFromWorker, MessageToWorker } from "./worker-message.ts";

/** After the last exchange: how long the disk may take for the last lines of the access log. */
const FLUSH_MS_MAX = 2000;

export interface WorkerControlSettings {
  dataPlane: DataPlane;
  accessLogs: AccessLogSinks;
  log: PortLog;
  post: (message: MessageFromWorker) => void;
  /** Called when a revision has become current. */
  onCommitted: (revision: number) => void;
}

/** A worker's end of the conversation with the main thread. */
export class WorkerControl {
  private readonly settings: WorkerControlSettings;
  private preparedLog: LogConfig | undefined;
  private currentLog: LogConfig | undefined;

  constructor(settings: WorkerControlSettings) {
    this.settings = settings;
  }

  handle(message: MessageToWorker): void {
    const { dataPlane, accessLogs, post } = this.settings;
    switch (message.type) {
      case "prepare":
        void this.prepare(message.payload);
        break;
      case "commit":
        this.commit(message.revision);
        break;
      case "abort":
        dataPlane.abort(message.revision);
        this.closeOtherLogs();
        break;
      case "endpoints":
        dataPlane.updateEndpoints(message.endpoints, message.counters);
        post({ type: "endpointsTaken" });
        break;
      case "reopenLogs":
        accessLogs.reopen();
        break;
      case "purgeRedis":
        dataPlane.purgeRedis?.(message.what);
        break;
      case "drain":
        void this.drain(message.deadlineMs);
        break;
    }
  }

  private async prepare(payload: DataPlanePayload): Promise<void> {
    const { dataPlane, accessLogs, post } = this.settings;
    const { revision, config } = payload;
    try {
      const { access } = config.log;
      const accessLog = access === false ? null : await accessLogs.open(access);
      await dataPlane.prepare(payload, { accessLog });
      this.preparedLog = config.log;
      post({ type: "prepared", revision });
    } catch (error) {
      post({ type: "refused", revision, error: plainError(error) });
    }
  }

  private commit(revision: number): void {
    const { dataPlane, log, post, onCommitted } = this.settings;
    dataPlane.commit(revision);
    this.currentLog = this.preparedLog;
    log.setLevel(this.currentLog?.level ?? "info");
    this.closeOtherLogs();
    onCommitted(revision);
    post({ type: "committed", revision });
  }

  private async drain(deadlineMs: number): Promise<void> {
    const { dataPlane, accessLogs, post } = this.settings;
    const { cut } = await dataPlane.drain(deadlineMs);
    await accessLogs.flush(FLUSH_MS_MAX);
    post({ type: "drained", cut });
  }

  private closeOtherLogs(): void {
    const access = this.currentLog?.access ?? false;
    this.settings.accessLogs.keepOnly(access === false ? undefined : access.file);
  }
}
