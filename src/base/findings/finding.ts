/** finding: ways in which messages do not fit what they are held against, as they are counted for operators. */

/**
 * One way. All but `example` is a key: whoever makes one takes it out of the configuration as far as can be. Where
 * clients have a say in it, what they make up displaces itself.
 */
export interface Finding {
  /** Part of the message and place in it: `body /items/*`, `query limit`. */
  readonly field: string;
  /** Which kind of rule was broken: `required`, `maxLength`. */
  readonly rule: string;
  /** Follows the field's name: `must be integer`. */
  readonly message: string;
  /** Of what was there, never the value itself: `text of 12 characters`; "" for none. */
  readonly example: string;
}

/** Which messages findings are about. */
export interface FindingSubject {
  /** Name of the policy that found something. */
  readonly policy: string;
  /** Where in the document the policy is written: `route orders`. */
  readonly at: string;
  /** `POST /orders`. */
  readonly operation: string;
  readonly of: "request" | "response";
}

/** How often messages of one kind had findings. */
export interface FindingGroup extends FindingSubject {
  /** Messages with at least one finding. */
  messages: number;
  /** How many of them were refused. */
  refused: number;
  readonly lines: FindingLine[];
}

/** How often one finding was made: once for each message, however many items of a list it is true of. */
export interface FindingLine extends Pick<Finding, "field" | "rule" | "message"> {
  count: number;
  refused: number;
  /** Epoch milliseconds. */
  firstAtMs: number;
  lastAtMs: number;
  /** The first that differ. */
  readonly examples: string[];
}

/** What a worker has counted since it last told. */
export interface FindingBatch {
  readonly groups: readonly FindingGroup[];
  /** Findings that there was no room for. */
  readonly leftOut: number;
}

const EXAMPLES_MAX = 5;

/** Adds those that are not there yet, while there is room. */
export function addExamples(examples: string[], more: readonly string[]): void {
  for (const example of more) {
    if (examples.length === EXAMPLES_MAX) return;
    if (example !== "" && !examples.includes(example)) examples.push(example);
  }
}

export function groupKey({ policy, at, operation, of }: FindingSubject): string {
  return `${placeKey(policy, at)}\n${of}\n${operation}`;
}

/** Of all that a policy finds in one place. */
export function placeKey(policy: string, at: string): string {
  return `${policy}\n${at}`;
}

export function lineKey({
  field,
  rule,
  message,
}: Pick<Finding, "field" | "rule" | "message">): string {
  return `${field}\n${rule}\n${message}`;
}
