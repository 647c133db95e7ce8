import { Fault, type FaultError, type FaultType } from "../base/faults.ts";

export interface ProblemSettings {
  /** A sentence for the client, without internals. */
  detail?: string;
  /** Which of several rules was broken, kebab-case. */
  code?: string;
  /** Sent with the answer, by lower-case name. */
  headers?: Readonly<Record<string, string>>;
  /** Everything that is wrong, at once: the member `errors`. */
  errors?: readonly FaultError[];
}

/**
 * An answer that refuses: a hook returns it. Make it once, when the policy is compiled, wherever it does not
 * depend on the request.
 */
export function problem(type: FaultType, settings: ProblemSettings = {}): Fault {
  const { detail = "", code = "", headers = null, errors = null } = settings;
  return new Fault(type, detail, code, headers, errors);
}
