import type { PolicyEnvironment } from "../../../policy/environment.ts";
import type { Exchange } from "../../../policy/exchange.ts";
import { BodyFlaw } from "../body-flaw.ts";
import { parseJson } from "../formats/json-format.ts";
import type { Json, JsonMap } from "../json-value.ts";
import type { Step } from "../steps/step.ts";
import { FailureLog } from "./failure-log.ts";
import { ProgramThread } from "./program-thread.ts";

/** Parameters that a program names: nobody can list those of a request. */
const NAMED = /\$request\.(params|query)\.([A-Za-z_]\w*)/g;

/** Runs a JSONata program over the body, which has been checked. */
export function compileProgramStep(
  program: string,
  timeoutMs: number,
  environment: PolicyEnvironment,
): Step {
  // One thread for all programs of this worker; it starts with the first body.
  const thread = environment.keep("body/programs", () => new ProgramThread());
  const failures = new FailureLog(environment);
  const names = { params: new Set<string>(), query: new Set<string>() };
  for (const [, kind, name] of program.matchAll(NAMED)) names[kind as "params"].add(name!);
  return async (value, exchange) => {
    const variables = {
      request: {
        method: exchange.method,
        host: exchange.host,
        path: exchange.path,
        params: valuesOf(names.params, (name) => exchange.param(name)),
        query: valuesOf(names.query, (name) => exchange.query(name)),
      },
      identity: identityOf(exchange),
      status: exchange.response.status,
    };
    const body = JSON.stringify(value);
    try {
      return resultOf(await thread.run({ program, body, variables, timeoutMs }));
    } catch (error) {
      if (error instanceof BodyFlaw && error.kind === "unmappable") {
        failures.note(error.code, typeof error.cause === "string" ? error.cause : "");
      }
      throw error;
    }
  };
}

function valuesOf(names: Iterable<string>, read: (name: string) => string | undefined): JsonMap {
  const values: JsonMap = {};
  for (const name of names) values[name] = read(name);
  return values;
}

function identityOf({ identity }: Exchange): Json {
  if (identity === null) return null;
  const { method, subject, issuer, scopes, roles, groups, claims, consumer } = identity;
  const known = { method, subject, issuer, scopes, roles, groups, claims };
  return { ...known, consumer: consumer?.name ?? null } as unknown as Json;
}

function resultOf(body: string): Json {
  try {
    return parseJson(body);
  } catch {
    throw new BodyFlaw("unmappable", "program-result", "The body cannot be mapped.");
  }
}
