import { GenerationCache } from "../../base/generation-cache.ts";
import { compilePattern, type Pattern } from "../../policy/values/pattern.ts";
import { knownRobots, type KnownRobot, type RobotKind } from "./known-robots.ts";
import { looksAutomated } from "./looks-automated.ts";

/** A text that stands in the user agent, in any case, or an expression for all of it. */
export type AgentRule = string | { readonly regex: string };

/** What is known of a user agent by its text alone. */
export interface AgentVerdict {
  /** null for what looks like a person's browser. */
  readonly kind: RobotKind | null;
  /** Which known robot it claims to be; null for none. */
  readonly robot: KnownRobot | null;
  /** In one of the lists, of which `allow` counts more. */
  readonly listed: "allow" | "deny" | null;
}

/** Real ones are half as long; what comes after it tells nothing. */
const LENGTH_MAX = 512;
const REMEMBERED_MAX = 10_000;
const REMEMBERED_LENGTH_MAX = 2 * 1024 * 1024;

/** Judges user agents; each once, as long as it is remembered. */
export class UserAgents {
  private readonly allow: AgentList;
  private readonly deny: AgentList;
  private readonly known: GenerationCache<AgentVerdict>;

  constructor(allow: readonly AgentRule[], deny: readonly AgentRule[]) {
    this.allow = new AgentList(allow);
    this.deny = new AgentList(deny);
    this.known = new GenerationCache(REMEMBERED_MAX, REMEMBERED_LENGTH_MAX);
  }

  judge(userAgent: string): AgentVerdict {
    const text = userAgent.length > LENGTH_MAX ? userAgent.slice(0, LENGTH_MAX) : userAgent;
    let verdict = this.known.get(text);
    if (verdict === undefined) {
      verdict = this.judgeAnew(text);
      this.known.set(text, verdict, text.length);
    }
    return verdict;
  }

  private judgeAnew(text: string): AgentVerdict {
    const lower = text.toLowerCase();
    const robot = knownRobots.find(({ token }) => lower.includes(token)) ?? null;
    const kind = robot === null ? (looksAutomated(text) ? "other" : null) : robot.kind;
    const isAllowed = this.allow.has(text, lower);
    const listed = isAllowed ? "allow" : this.deny.has(text, lower) ? "deny" : null;
    return { kind, robot, listed };
  }
}

class AgentList {
  private readonly texts: readonly string[];
  private readonly patterns: readonly Pattern[];

  constructor(rules: readonly AgentRule[]) {
    this.texts = rules.flatMap((rule) => (typeof rule === "string" ? [rule.toLowerCase()] : []));
    this.patterns = rules.flatMap((rule) => {
      return typeof rule === "string" ? [] : [compilePattern(rule.regex)];
    });
  }

  has(text: string, lower: string): boolean {
    return (
      this.texts.some((part) => lower.includes(part)) ||
      this.patterns.some((pattern) => pattern.test(text))
    );
  }
}
