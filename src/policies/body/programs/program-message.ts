import type { Json } from "../json-value.ts";

/** To the thread that runs programs. */
export interface ProgramRequest {
  readonly program: string;
  /** JSON of the body. */
  readonly body: string;
  /** Variables beside the body. */
  readonly variables: Readonly<Record<string, Json>>;
  readonly timeoutMs: number;
}

export type ProgramFailure =
  | "program-failed"
  | "program-timeout"
  | "program-too-deep"
  | "program-too-large";

/** From that thread: first that it is up, then one answer to each request. */
export type ProgramAnswer =
  | { readonly type: "up" }
  | { readonly type: "result"; readonly body: string }
  /** The reason is the library's code and the place in the program, for the operator; "" where it gave none. */
  | { readonly type: "failed"; readonly code: ProgramFailure; readonly reason: string };
