import { compileClientRanges } from "./client-ranges.ts";
import type { CompiledRule, Specificity } from "./compiled-rule.ts";
import { ANY_HOST, parseHostPattern } from "./host-pattern.ts";
import type { HostPattern } from "./host-pattern.ts";
import { compileMatchValue, valueRank } from "./match-value.ts";
import type { MatchValue } from "./match-value.ts";
import { parseMediaTypePattern } from "./media-type.ts";
import { ANY_METHOD } from "./method-table.ts";
import type { MethodTable } from "./method-table.ts";
import { parsePathPattern } from "./path-pattern.ts";
import type { PathPattern } from "./path-pattern.ts";
import type { RouteMatch, RouteProblem, RouteRule } from "./route-rule.ts";
import { RoutingError } from "./routing-error.ts";
import { FROM_COOKIE, FROM_HEADER, FROM_QUERY, RuleConditions } from "./rule-conditions.ts";
import type { SegmentMatcher } from "./segment-matcher.ts";
import { pathWeights } from "./specificity.ts";
import type { ValueCondition } from "./value-condition.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const EVERY_PATH = "/*";

// One for all: most rules name neither.
const NO_METHODS: readonly string[] = [];
const ANY_HOSTS: readonly HostPattern[] = [ANY_HOST];

type Place = readonly (string | number)[];

/** Compiles rules one by one, and keeps what is wrong with them. */
export class RuleCompiler<Value> {
  readonly methods: MethodTable;
  readonly problems: RouteProblem[];
  private ruleIndex: number;

  constructor(methods: MethodTable) {
    this.methods = methods;
    this.problems = [];
    this.ruleIndex = 0;
  }

  /** Undefined when the rule cannot be used; then there is a problem more. */
  compile(rule: RouteRule<Value>, index: number): CompiledRule<Value> | undefined {
    this.ruleIndex = index;
    const problemCount = this.problems.length;
    const { match } = rule;
    const pattern = this.attempt(["path"], () => parsePathPattern(match.path ?? EVERY_PATH));
    const methods = this.compileMethods(match.methods ?? []);
    const hosts = this.compileHosts(match.hosts ?? []);
    const conditions = this.compileConditions(match);
    if (pattern === undefined || this.problems.length > problemCount) return undefined;
    const methodMask = methods.length === 0 ? ANY_METHOD : this.methods.add(methods);
    if (methodMask === undefined) {
      const hint = "leave `methods` out where every method will do";
      this.refuse(["methods"], new RoutingError("the routes name more than 30 methods", hint));
      return undefined;
    }
    return {
      index,
      name: rule.name,
      value: rule.value,
      pattern,
      hosts,
      methods,
      methodMask,
      conditions,
      specificity: specificityOf(pattern, methods, conditions),
      ...paramPlan(pattern),
    };
  }

  private compileMethods(methods: readonly string[]): readonly string[] {
    if (methods.length === 0 || (methods.length === 1 && methods[0] === "*")) return NO_METHODS;
    methods.forEach((method, position) => {
      const at = ["methods", position];
      if (!TOKEN.test(method) || method === "*") {
        const hint = "GET, POST ...; leave `methods` out for every method";
        this.refuse(at, new RoutingError(`${JSON.stringify(method)} is not a method`, hint));
      } else if (method !== method.toUpperCase()) {
        const hint = `write ${method.toUpperCase()}`;
        this.refuse(at, new RoutingError("methods are written in capitals", hint));
      }
    });
    return [...new Set(methods)];
  }

  private compileHosts(hosts: readonly string[]): readonly HostPattern[] {
    if (hosts.length === 0) return ANY_HOSTS;
    const patterns = new Map<string, HostPattern>();
    hosts.forEach((host, position) => {
      const pattern = this.attempt(["hosts", position], () => parseHostPattern(host));
      if (pattern !== undefined) patterns.set(`${pattern.kind} ${pattern.text}`, pattern);
    });
    return [...patterns.values()];
  }

  private compileConditions(match: RouteMatch): RuleConditions | null {
    const sources: number[] = [];
    const names: string[] = [];
    const values: ValueCondition[] = [];
    const addAll = (source: number, key: "headers" | "query" | "cookies") => {
      for (const [name, value] of Object.entries(match[key] ?? {})) {
        const compiled = this.compileValue([key, name], key, name, value);
        if (compiled === undefined) continue;
        sources.push(source);
        names.push(source === FROM_HEADER ? name.toLowerCase() : name);
        values.push(compiled);
      }
    };
    addAll(FROM_HEADER, "headers");
    addAll(FROM_QUERY, "query");
    addAll(FROM_COOKIE, "cookies");
    const ranges = match.clients ?? [];
    const clients =
      ranges.length === 0 ? null : this.attempt(["clients"], () => compileClientRanges(ranges));
    const contentTypes = (match.contentTypes ?? []).map((type, position) =>
      this.attempt(["contentTypes", position], () => parseMediaTypePattern(type)),
    );
    const types = contentTypes.filter((type) => type !== undefined);
    if (values.length === 0 && clients === null && types.length === 0) return null;
    return new RuleConditions(sources, names, values, clients ?? null, types);
  }

  private compileValue(
    at: Place,
    key: string,
    name: string,
    value: MatchValue,
  ): ValueCondition | undefined {
    if (name === "" || (key !== "query" && !TOKEN.test(name))) {
      const what =
        key === "headers" ? "a header name" : key === "query" ? "a parameter" : "a cookie name";
      this.refuse(at, new RoutingError(`${JSON.stringify(name)} is not ${what}`));
      return undefined;
    }
    return this.attempt(at, () => compileMatchValue(value));
  }

  private attempt<Result>(at: Place, parse: () => Result): Result | undefined {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof RoutingError)) throw error;
      this.refuse(at, error);
      return undefined;
    }
  }

  private refuse(at: Place, { message, hint, position }: RoutingError): void {
    const { ruleIndex } = this;
    this.problems.push({ ruleIndex, otherIndex: undefined, at, message, hint, position });
  }
}

function specificityOf(
  pattern: PathPattern,
  methods: readonly string[],
  conditions: RuleConditions | null,
): Specificity {
  const path = pathWeights(pattern);
  const namesMethods = methods.length > 0;
  if (conditions === null) {
    return { path, namesMethods, conditionCount: 0, conditionRanks: "", clientBits: -1 };
  }
  const ranks = conditions.values.map(valueRank);
  const types = conditions.contentTypes;
  if (types.length > 0) {
    const rank = types.reduce((least, type) => Math.min(least, type.rank), 5);
    ranks.push(types.length > 1 ? Math.min(rank, 4) : rank);
  }
  const clientBits = conditions.clients?.bitsMin ?? -1;
  const conditionCount = ranks.length + (clientBits === -1 ? 0 : 1);
  const conditionRanks = ranks.sort((a, b) => b - a).join("");
  return { path, namesMethods, conditionCount, conditionRanks, clientBits };
}

function paramPlan(pattern: PathPattern) {
  const paramDepths: number[] = [];
  const paramMatchers: (SegmentMatcher | null)[] = [];
  pattern.segments.forEach((segment, depth) => {
    if (segment.kind === "literal") return;
    paramDepths.push(depth);
    paramMatchers.push(segment.kind === "matched" ? segment.matcher : null);
  });
  // Copies have no room left to grow, and there are thousands.
  return { paramDepths: paramDepths.slice(), paramMatchers: paramMatchers.slice() };
}
