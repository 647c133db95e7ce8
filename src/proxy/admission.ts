// HOT
import { faults, type Fault } from "../base/faults.ts";
import type { BalanceRequest, Balancer } from "../upstream/balance/balancer.ts";
import type { Target } from "../upstream/balance/target.ts";
import type { TriedSet } from "../upstream/balance/tried-set.ts";
import type { Attempt, Guard } from "../upstream/guard.ts";
import { RESULT_BROKEN, RESULT_CANCELLED, RESULT_FULL } from "./try-result.ts";
import type { CompiledService } from "./snapshot.ts";

/** A request as one target gets it. */
export interface Try extends Attempt {
  readonly balancer: Balancer | null;
  readonly target: Target | null;
  /** Status of the target's own answer, 0 before it. */
  readonly answeredStatus: number;
}

/** Chooses a target that lets a try pass, as its service does; else tells why there is none. */
export function admitTry(
  attempt: Try,
  service: CompiledService,
  request: BalanceRequest,
  tried: TriedSet,
  priority: number,
): Target | Fault {
  let refusal = service.guards.length === 0 ? null : askGuards(service.guards, priority, attempt);
  if (refusal !== null) return refusal;
  const balancer = attempt.balancer!;
  let target = balancer.pick(request, tried);
  while (target !== undefined && target.guards.length > 0) {
    refusal = askGuards(target.guards, priority, attempt);
    if (refusal === null) break;
    tried.add(target);
    target = balancer.pick(request, tried);
  }
  if (target !== undefined) return target;
  leaveGuards(service.guards, attempt, RESULT_CANCELLED, 0);
  return refusal ?? faults["no-target"];
}

/** All of them let a try pass, or none counts it. */
function askGuards(guards: readonly Guard[], priority: number, attempt: Try): Fault | null {
  for (let index = 0; index < guards.length; index++) {
    const refusal = guards[index]!.admit(priority, attempt);
    if (refusal === null) continue;
    while (--index >= 0) guards[index]!.ended(RESULT_CANCELLED, 0, 0, attempt);
    return refusal;
  }
  return null;
}

function leaveGuards(
  guards: readonly Guard[],
  attempt: Try,
  result: number,
  latencyMs: number,
): void {
  for (let index = 0; index < guards.length; index++) {
    guards[index]!.ended(result, attempt.answeredStatus, latencyMs, attempt);
  }
}

/** The head of the answer has come. */
export function tellAnswer(attempt: Try, service: CompiledService, latencyMs: number): void {
  tellGuards(attempt.target!.guards, attempt, latencyMs);
  tellGuards(service.guards, attempt, latencyMs);
}

function tellGuards(guards: readonly Guard[], attempt: Try, latencyMs: number): void {
  for (let index = 0; index < guards.length; index++) {
    guards[index]!.answered?.(attempt.answeredStatus, latencyMs, attempt);
  }
}

/**
 * Tells balancer, metrics, observers and guards how a try ended.
 *
 * @param latencyMs from sending to the answer or the end; 0 where it was given up before anything was sent
 */
export function reportTry(
  attempt: Try,
  service: CompiledService,
  failed: boolean,
  result: number,
  latencyMs: number,
): void {
  const { balancer, answeredStatus } = attempt;
  const target = attempt.target!;
  target.results!.addAt(result, 1);
  // A kept connection that was closed meanwhile says nothing of the target, nor does a line full of clients.
  if (result === RESULT_FULL) {
    failed = false;
    result = RESULT_CANCELLED;
    latencyMs = 0;
  } else if (!failed && result === RESULT_BROKEN) result = RESULT_CANCELLED;
  if (failed || answeredStatus !== 0) {
    balancer!.ended(target, latencyMs, failed || answeredStatus >= 500);
  } else balancer!.left(target, latencyMs);
  const { observers } = target;
  for (let index = 0; index < observers.length; index++) {
    observers[index]!.ended(result, answeredStatus, latencyMs, attempt);
  }
  leaveGuards(target.guards, attempt, result, latencyMs);
  leaveGuards(service.guards, attempt, result, latencyMs);
}
