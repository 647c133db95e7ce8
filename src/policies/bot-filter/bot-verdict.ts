import { Fault, defineFaultType } from "../../base/faults.ts";
import { ROBOT_KINDS, type RobotKind } from "./known-robots.ts";

export const botDenied = defineFaultType("bot-denied", {
  status: 403,
  title: "Not for robots",
  whose: "client",
  retrySafe: "never",
  cause:
    "The request's `User-Agent` is that of a robot which `bot-filter` refuses, missing, or somebody else's.",
  remedy:
    "Send a user agent that says who is calling, and ask the operator to allow it. The member `code` says why it was refused.",
});

/** What is made of a request; one of those below, made once. */
export interface BotVerdict {
  readonly result: "person" | "robot" | "unwanted" | "missing" | "forged";
  /** For the service; "" for nothing to tell. */
  readonly word: string;
  /** Where it is not wanted. */
  readonly fault: Fault | null;
}

export const person: BotVerdict = { result: "person", word: "", fault: null };
export const unnamed: BotVerdict = { result: "missing", word: "missing", fault: null };
export const noUserAgent: BotVerdict = {
  ...unnamed,
  fault: refusal("missing", "There is no user agent."),
};
export const denied: BotVerdict = {
  result: "unwanted",
  word: "denied",
  fault: refusal("listed", "This user agent is not wanted here."),
};
export const forged: BotVerdict = {
  result: "forged",
  word: "forged",
  fault: refusal("forged", "The request does not come from who its user agent names."),
};
export const wanted = forEachKind((kind) => ({ result: "robot", word: kind, fault: null }));
export const refused = forEachKind((kind) => ({
  result: "unwanted",
  word: kind,
  fault: refusal(kind, "Robots of this kind are not wanted here."),
}));

function refusal(code: string, detail: string): Fault {
  return new Fault(botDenied, detail, code);
}

function forEachKind(make: (kind: RobotKind) => BotVerdict) {
  return Object.fromEntries(ROBOT_KINDS.map((kind) => [kind, make(kind)])) as Record<
    RobotKind,
    BotVerdict
  >;
}
