import { isDeepStrictEqual } from "node:util";
import { compileBacktrackingPattern, compileLinearPattern } from "./linear-pattern.ts";
import {
  schemaLibrary,
  type DataValidateFunction,
  type ErrorObject,
  type Format,
  type Options,
  type SchemaEngine,
  type ValidateFunction,
} from "./schema-library.ts";
import { describeForm, describeValue } from "./describe-value.ts";
import { escapeName, fieldOf, valueAt } from "./json-pointer.ts";
import { flaw, tellName, type Flaw } from "./violation.ts";

/** Null for a value that fits; it is not changed. */
export type CheckValue = (value: unknown) => readonly Flaw[] | null;

/** How `pattern` is tested: one look at each character, or as the language does, which can take for ever. */
export type PatternKind = "linear" | "backtracking";

export interface SchemaSettings {
  readonly patterns: PatternKind;
  /** Most flaws that are told of one value. */
  readonly errorsMax: number;
  /** Some schema says `unevaluatedProperties` or `unevaluatedItems`. */
  readonly usesUnevaluated: boolean;
  /** Of properties that schemas describe; it may grow. */
  readonly names: ReadonlySet<string>;
}

/** A text of a known form is shorter; checks of longer ones could be made slow. */
const FORMATTED_LENGTH_MAX = 8192;
/** Any content, of any length. */
const PLAIN_FORMATS = ["byte", "binary", "password"];

/** Keyword of our own: the key of a schema, which is compiled when the first value gets there. */
export const REFERENCE = "x-gateward-reference";

/**
 * Most references that are followed for one value, and for telling all that is wrong with it. Schemas that
 * choose among themselves (`anyOf`) take a step for each way through a value, and those double with each level:
 * 120 bytes could keep a worker busy for seconds. A value of 1 MB rarely takes as many as this.
 */
const STEPS_MAX = 1_000_000;
const THOROUGH_STEPS_MAX = 150_000;

/** Told only where finding all of them would take too long. */
const QUICK_ERRORS_MAX = 4;

class OutOfSteps extends Error {}

/** Schemas that may refer to each other by their keys, compiled when they are first used. */
export class SchemaSet {
  private readonly settings: SchemaSettings;
  private readonly known = new Map<string, object | boolean>();
  /** Stops at the first flaw: nearly all values have none. */
  private readonly quick: SchemaEngine;
  /** Finds all flaws, up to the bound; made when there is one. */
  private thorough: SchemaEngine | undefined;
  private stepsLeft = 0;

  constructor(settings: SchemaSettings) {
    this.settings = settings;
    this.quick = this.makeEngine(false);
  }

  /** @param key a URI without fragment, by which others refer to it */
  add(key: string, schema: object | boolean): void {
    this.known.set(key, schema);
    this.quick.addSchema(schema, key);
    this.thorough?.addSchema(schema, key);
  }

  /** @throws Error for a schema that makes no sense */
  compile(schema: object | boolean): CheckValue {
    const isFit = this.quick.compile(schema);
    let findFlaws: ValidateFunction | undefined;
    return (value) => {
      const fits = this.within(STEPS_MAX, () => isFit(value));
      if (fits === true) return null;
      if (fits === undefined) return [flaw("steps", "would take too long to check")];
      const first = isFit.errors;
      findFlaws ??= this.thoroughEngine().compile(schema);
      const isFound = this.within(THOROUGH_STEPS_MAX, () => !findFlaws!(value));
      const errors = isFound === true ? findFlaws.errors : first;
      return this.flawsOf(errors ?? [], value);
    };
  }

  /** Undefined where it takes more steps. */
  private within(stepsMax: number, run: () => boolean): boolean | undefined {
    this.stepsLeft = stepsMax;
    try {
      return run();
    } catch (error) {
      if (error instanceof OutOfSteps) return undefined;
      throw error;
    }
  }

  private flawsOf(errors: readonly (ErrorObject | undefined)[], value: unknown): Flaw[] {
    const { errorsMax, names } = this.settings;
    const flaws: Flaw[] = [];
    const told = new Set<string>();
    for (const error of errors) {
      // That a branch was taken says nothing beside what is wrong in it.
      if (error === undefined || error.keyword === "if") continue;
      if (flaws.length === errorsMax) break;
      const found = flawOf(error, value, names);
      // Several schemas of one value may ask for the same.
      const key = `${found.path} ${found.message}`;
      if (told.has(key)) continue;
      told.add(key);
      flaws.push(found);
    }
    return flaws.length === 0 ? [flaw("schema", "does not fit")] : flaws;
  }

  private thoroughEngine(): SchemaEngine {
    if (this.thorough === undefined) {
      this.thorough = this.makeEngine(true);
      for (const [key, schema] of this.known) this.thorough.addSchema(schema, key);
    }
    return this.thorough;
  }

  /**
   * References of the library's own are compiled with what they stand in, one within the other: a large document
   * would cost seconds at its first request, and more stack than there is.
   */
  private makeEngine(allErrors: boolean): SchemaEngine {
    const errorsMax = allErrors ? this.settings.errorsMax : QUICK_ERRORS_MAX;
    const engine = makeEngine(this.settings, allErrors);
    engine.addKeyword({
      keyword: REFERENCE,
      schemaType: "string",
      errors: true,
      compile: (key: string) => {
        let check: ValidateFunction | undefined;
        const validate: DataValidateFunction = (value: unknown, at) => {
          if (--this.stepsLeft < 0) throw new OutOfSteps();
          check ??= engine.getSchema(key)!;
          if (check(value)) return true;
          const prefix = at?.instancePath ?? "";
          const errors = (check.errors ?? []).slice(0, errorsMax);
          validate.errors = errors.map((error) => {
            return { ...error, instancePath: prefix + error.instancePath };
          });
          return false;
        };
        return validate;
      },
    });
    return engine;
  }
}

function makeEngine(settings: SchemaSettings, allErrors: boolean): SchemaEngine {
  const { Ajv2020 } = schemaLibrary();
  const engine = new Ajv2020(engineOptions(settings, allErrors));
  // Who has to know all that was looked at looks at every branch of `anyOf`, also after the one that fits.
  engine.opts.unevaluated = settings.usesUnevaluated;
  for (const [name, format] of formats()) engine.addFormat(name, format);
  // The library's own compares every item with every other.
  engine.removeKeyword("uniqueItems");
  engine.addKeyword({
    keyword: "uniqueItems",
    type: "array",
    schemaType: "boolean",
    errors: false,
    error: { message: "must not have the same item twice" },
    validate: (isUnique: boolean, list: unknown[]) => !isUnique || hasUniqueItems(list),
  });
  return engine;
}

/** What an engine is made with; also that which checks schemas themselves. */
function engineOptions({ patterns, errorsMax }: SchemaSettings, allErrors: boolean): Options {
  return {
    allErrors,
    strict: false,
    strictNumbers: true,
    validateSchema: false,
    logger: false,
    // Names such as `toString` are no properties of what a client has sent.
    ownProperties: true,
    // 0.3 is a multiple of 0.1, whatever binary fractions say.
    multipleOfPrecision: 9,
    code: {
      regExp: regExpMaker(patterns),
      ...(allErrors ? { process: (code: string) => boundErrors(code, errorsMax) } : {}),
    },
  };
}

function regExpMaker(kind: PatternKind) {
  const compile = kind === "linear" ? compileLinearPattern : compileBacktrackingPattern;
  const make = (source: string) => {
    const pattern = compile(source);
    // The library tells patterns apart by what `toString` gives.
    return { test: pattern.test, toString: () => `/${source}/` };
  };
  return Object.assign(make, { code: "" });
}

/**
 * Lets generated code keep no more than so many errors: a list of a hundred thousand wrong items would take
 * seconds, and gigabytes, to be told of. Only for telling: code that counts errors may take a branch that has
 * none left to add for one that fits, so whether a value fits is never asked of it.
 */
function boundErrors(code: string, errorsMax: number): string {
  return code
    .replace(/vErrors\.push\(/g, `vErrors.length < ${errorsMax} && vErrors.push(`)
    .replace(/vErrors\.concat\(/g, `vErrors.length >= ${errorsMax} ? vErrors : vErrors.concat(`)
    .replace(/vErrors\.length = (\w+)/g, "vErrors.length = Math.min(vErrors.length, $1)");
}

function* formats(): Generator<[string, Format]> {
  for (const [name, format] of Object.entries(schemaLibrary().fullFormats)) {
    const test = PLAIN_FORMATS.includes(name) ? undefined : testOf(format);
    yield [
      name,
      test === undefined
        ? format
        : (text: string) => text.length <= FORMATTED_LENGTH_MAX && test(text),
    ];
  }
  // 2^63 is what 2^63 - 1 becomes when it is read as a double.
  yield [
    "int64",
    {
      type: "number",
      validate: (value: number) => Number.isInteger(value) && Math.abs(value) <= 2 ** 63,
    },
  ];
}

/** Undefined for formats of numbers. */
function testOf(format: Format): ((text: string) => boolean) | undefined {
  if (format instanceof RegExp) return (text) => format.test(text);
  if (typeof format === "function") return format;
  if (typeof format !== "object" || format.type === "number") return undefined;
  const { validate } = format as { validate: unknown };
  if (validate instanceof RegExp) return (text) => validate.test(text);
  return validate as (text: string) => boolean;
}

/** Names of all formats that are checked. */
export function knownFormats(): ReadonlySet<string> {
  return new Set(Object.keys(schemaLibrary().fullFormats));
}

function hasUniqueItems(list: readonly unknown[]): boolean {
  const seen = new Map<string, unknown>();
  for (const item of list) {
    const text = canonical(item);
    if (seen.has(text) && isDeepStrictEqual(seen.get(text), item)) return false;
    seen.set(text, item);
  }
  return true;
}

/** The same text for equal values. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Names of properties are the client's own; values are not told, they may be secrets. */
const TEXT_SHOWN_MAX = 100;

function flawOf(error: ErrorObject, value: unknown, names: ReadonlySet<string>): Flaw {
  const { keyword: rule, instancePath } = error;
  const params = error.params as Record<string, unknown>;
  const path = cut(instancePath, 1000);
  const field = fieldOf(instancePath, names);
  const within = (name: string): string => `${path}/${escapeName(cut(name, TEXT_SHOWN_MAX))}`;
  const unknown = (name: string): Flaw => {
    return {
      path: within(name),
      message: "is not known here",
      rule,
      field: `${field}/*`,
      given: tellName(name),
    };
  };
  switch (rule) {
    case "required": {
      const name = String(params["missingProperty"]);
      const missing = `${field}/${escapeName(cut(name, TEXT_SHOWN_MAX))}`;
      return { path: within(name), message: "is required", rule, field: missing, given: "" };
    }
    case "additionalProperties":
      return unknown(String(params["additionalProperty"]));
    case "unevaluatedProperties":
      return unknown(String(params["unevaluatedProperty"]));
    default: {
      const there = valueAt(value, instancePath);
      const given = rule === "format" ? describeForm(there) : describeValue(there);
      return { path, message: messageOf(error, params), rule, field, given };
    }
  }
}

/** Made of what the schema says alone. */
function messageOf(
  { keyword, message = "does not fit" }: ErrorObject,
  params: Readonly<Record<string, unknown>>,
): string {
  switch (keyword) {
    case "enum": {
      const allowed = (params["allowedValues"] as unknown[]).map((value) => JSON.stringify(value));
      const shown = allowed.join(", ");
      return shown.length <= 200 ? `must be one of ${shown}` : "must be one of the values listed";
    }
    case "const":
      return `must be ${cut(JSON.stringify(params["allowedValue"]), 200)}`;
    case "type":
      return `must be ${[params["type"]].flat().join(" or ")}`;
    case "false schema":
      return "must not be present";
    case "pattern":
      return `must match ${cut(String(params["pattern"]), 200)}`;
    default:
      return message;
  }
}

function cut(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax)}...`;
}
