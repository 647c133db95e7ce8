import type { PolicyEnvironment } from "../../../policy/environment.ts";
import { parseTemplate } from "../../../policy/template/parse-template.ts";
import { PLAIN_TEXT } from "../../../policy/template/value-encoding.ts";
import { compileTemplate } from "../../../policy/template.ts";
import { Refusal } from "../../../policy/values/refusal.ts";
import type { Json } from "../json-value.ts";
import { compilePick } from "../paths/compile-pick.ts";
import { compilePlaces, removeAt, replace, valueAt } from "../paths/compile-places.ts";
import { parsePath } from "../paths/path.ts";
import { compileProgramStep } from "../programs/compile-program-step.ts";
import { checkProgram } from "../programs/jsonata-library.ts";
import { compileHeaderCopies, compileQueryCopies } from "./compile-copies.ts";
import { compileFilter } from "./compile-filter.ts";
import { compileMask, type MaskSettings } from "./compile-mask.ts";
import { compileMove, compileRename } from "./compile-moves.ts";
import { compileSet, constant, type ValueSource } from "./compile-set.ts";
import { compileFlatten, compileUnwrap, compileWrap } from "./compile-shape.ts";
import type { StepOptions } from "./step-schema.ts";
import type { Step } from "./step.ts";

const SECRET_LENGTH_MIN = 32;

/** What steps are given beside the body. */
export interface StepSettings {
  readonly environment: PolicyEnvironment;
  readonly programTimeoutMs: number;
  readonly direction: Direction;
}

type Direction = "request" | "response";

/** @throws Refusal for a step that makes no sense */
export function checkStep(step: StepOptions, direction: Direction): void {
  if (step.jsonata !== undefined) {
    checkProgram(step.jsonata);
    return;
  }
  for (const value of Object.values({ ...step.set, ...step.default })) {
    if (typeof value === "string") parseTemplate(value, direction === "response");
  }
  if (step.set === undefined && step.default === undefined) compilePlainStep(step, direction);
  else compileSet(step.set ?? step.default ?? {}, constant, false);
}

/** @throws Refusal for a step that makes no sense */
export function compileStep(step: StepOptions, settings: StepSettings): Step {
  const { set, jsonata } = step;
  const { environment, programTimeoutMs, direction } = settings;
  if (jsonata !== undefined) return compileProgramStep(jsonata, programTimeoutMs, environment);
  const sourceOf = (value: Json): ValueSource => {
    return typeof value === "string" ? templateSource(value, environment) : constant(value);
  };
  if (set !== undefined) return compileSet(set, sourceOf, false);
  if (step.default !== undefined) return compileSet(step.default, sourceOf, true);
  return compilePlainStep(step, direction);
}

function templateSource(text: string, environment: PolicyEnvironment): ValueSource {
  const template = compileTemplate(text, PLAIN_TEXT, environment);
  return (exchange) => template.render(exchange);
}

function compilePlainStep(step: StepOptions, direction: Direction): Step {
  const { pick, drop, rename, move, mask, filter, flatten, headers, query, wrap, unwrap } = step;
  if (pick !== undefined) {
    const keep = compilePick(pick.map(parsePath));
    // Of a body that is no map and no list there is nothing to pick.
    return (value) => keep(value) ?? {};
  }
  if (drop !== undefined) return atPaths(drop, removeAt);
  if (rename !== undefined) return compileRename(rename);
  if (move !== undefined) return compileMove(move);
  if (mask !== undefined) {
    const hide = checkedMask(mask);
    return atPaths(mask.paths, (holder, key) => replace(holder, key, hide(valueAt(holder, key))));
  }
  if (filter !== undefined) {
    if (filter.names.length + filter.paths.length === 0) {
      throw new Refusal("the filter has neither names nor paths", "give names: [password], say");
    }
    return compileFilter(filter, filter.mask === undefined ? null : checkedMask(filter.mask));
  }
  if (flatten !== undefined) return compileFlatten(flatten.path ?? "", flatten.separator);
  if (headers !== undefined) {
    const described = Object.keys(headers).find((name) => name.startsWith("content-"));
    if (described === undefined) return compileHeaderCopies(headers, direction);
    throw new Refusal(`${described} tells what the body is`, "take another name");
  }
  if (query !== undefined) {
    if (direction === "request") return compileQueryCopies(query);
    throw new Refusal("a response has no query", "write headers, or this under request");
  }
  if (wrap !== undefined) return compileWrap(wrap);
  return compileUnwrap(unwrap!);
}

function atPaths(
  paths: readonly string[],
  visit: Parameters<typeof compilePlaces<undefined>>[1],
): Step {
  const places = paths.map((path) => compilePlaces<undefined>(parsePath(path), visit));
  return (value) => {
    for (const place of places) place(value, undefined);
    return value;
  };
}

function checkedMask(mask: MaskSettings) {
  if (mask.with === "hash" && (mask.secret?.length ?? 0) < SECRET_LENGTH_MIN) {
    const hint = "openssl rand -base64 32 makes a good one";
    throw new Refusal(`hash needs a secret of ${SECRET_LENGTH_MIN} characters or more`, hint);
  }
  return compileMask(mask);
}
