// HOT
import { Fields } from "../fields.ts";
import { NO_LENGTH } from "./request-head.ts";

/** The head of one response. Reused; every field is set anew by the parser. */
export class ResponseHead {
  readonly fields: Fields;
  status: number;
  /** The reason phrase, null while it stands in `fields.text`: most responses are never asked for it. */
  private ownReason: string | null;
  private reasonStart: number;
  private reasonEnd: number;
  /** The status line in `fields.text` may be sent as it came: HTTP/1.1, nothing changed. */
  statusLineStands: boolean;
  versionMinor: number;
  contentLength: number;
  chunked: boolean;
  keepAlive: boolean;
  /** Index of the Upgrade field when Connection speaks of one, else -1. */
  upgradeIndex: number;

  constructor() {
    this.fields = new Fields();
    this.status = 0;
    this.ownReason = "";
    this.reasonStart = 0;
    this.reasonEnd = 0;
    this.statusLineStands = false;
    this.versionMinor = 1;
    this.contentLength = NO_LENGTH;
    this.chunked = false;
    this.keepAlive = true;
    this.upgradeIndex = -1;
  }

  get reason(): string {
    return this.ownReason ?? this.fields.text.slice(this.reasonStart, this.reasonEnd);
  }

  set reason(reason: string) {
    this.ownReason = reason;
  }

  /** Where the reason phrase lies in `fields.text`. */
  reasonAt(start: number, end: number): void {
    this.ownReason = null;
    this.reasonStart = start;
    this.reasonEnd = end;
  }

  /** Makes it an empty head of the gateway's own. */
  reset(status: number, reason: string): void {
    this.fields.clear();
    this.status = status;
    this.reason = reason;
    this.statusLineStands = false;
    this.versionMinor = 1;
    this.contentLength = NO_LENGTH;
    this.chunked = false;
    this.keepAlive = true;
    this.upgradeIndex = -1;
  }

  /** Changes the status and its reason phrase, keeping the fields. */
  setStatus(status: number, reason: string): void {
    this.status = status;
    this.reason = reason;
    this.statusLineStands = false;
  }
}
