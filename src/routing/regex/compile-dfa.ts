/**
 * Compiles an expression: syntax tree -> Thompson automaton -> subset construction.
 */
import { RoutingError } from "../routing-error.ts";
import { CODE_MAX } from "./char-set.ts";
import type { CharSet } from "./char-set.ts";
import { Dfa } from "./dfa.ts";
import { parseRegex } from "./parse-regex.ts";
import type { RegexNode } from "./parse-regex.ts";

// What an expression may grow to. 2000 states of 20 classes are 80 kB; a UUID takes 37 states.
const NFA_STATES_MAX = 10_000;
const DFA_STATES_MAX = 2_000;

/** A state with a set moves on a character; one without moves freely, to up to two others. */
interface NfaState {
  set: CharSet | undefined;
  first: number;
  second: number;
}

interface Nfa {
  states: NfaState[];
  final: number;
}

/**
 * The automaton of an expression that has to match whole texts.
 *
 * @throws RoutingError for what is no regular expression, or needs too many states.
 */
export function compileRegex(source: string): Dfa {
  return compileRegexNode(parseRegex(source));
}

export function compileRegexNode(node: RegexNode): Dfa {
  const nfa: Nfa = { states: [], final: 0 };
  nfa.final = addState(nfa, undefined, -1, -1);
  const start = build(nfa, node, nfa.final);
  return determinize(nfa, start);
}

function addState(nfa: Nfa, set: CharSet | undefined, first: number, second: number): number {
  if (nfa.states.length >= NFA_STATES_MAX) throw tooLarge();
  return nfa.states.push({ set, first, second }) - 1;
}

function tooLarge(): RoutingError {
  const hint = "use smaller repeat counts, or fewer choices within a repeated part";
  return new RoutingError("the expression needs too many states", hint, 0);
}

/** Adds the states of `node`, which lead on to `after`; returns the first of them. */
function build(nfa: Nfa, node: RegexNode, after: number): number {
  switch (node.kind) {
    case "set":
      return addState(nfa, node.set, after, -1);
    case "sequence":
      // A state even for the empty sequence, so that repeating it counts towards the limit.
      if (node.parts.length === 0) return addState(nfa, undefined, after, -1);
      return node.parts.reduceRight((next, part) => build(nfa, part, next), after);
    case "choice":
      return node.parts
        .map((part) => build(nfa, part, after))
        .reduce((left, right) => addState(nfa, undefined, left, right));
    case "repeat":
      return buildRepeat(nfa, node.part, node.min, node.max, after);
  }
}

function buildRepeat(nfa: Nfa, part: RegexNode, min: number, max: number, after: number): number {
  let start = after;
  if (max === Infinity) {
    const loop = addState(nfa, undefined, -1, after);
    nfa.states[loop]!.first = build(nfa, part, loop);
    start = loop;
  } else {
    for (let count = min; count < max; count++) {
      start = addState(nfa, undefined, build(nfa, part, start), after);
    }
  }
  for (let count = 0; count < min; count++) start = build(nfa, part, start);
  return start;
}

function determinize(nfa: Nfa, start: number): Dfa {
  const runStarts = runsOf(nfa);
  const { runClasses, representatives } = classesOf(nfa, runStarts);
  const classCount = representatives.length;
  const numbers = new Map<string, number>();
  // State 0 is the empty set: no way leads on from it.
  const sets: number[][] = [[], closure(nfa, [start])];
  numbers.set("", 0);
  numbers.set(sets[1]!.join(), 1);
  const next: number[] = Array.from({ length: classCount }, () => 0);
  for (let state = 1; state < sets.length; state++) {
    if (sets.length > DFA_STATES_MAX) throw tooLarge();
    for (const code of representatives) {
      const moved = closure(nfa, targetsOn(nfa, sets[state]!, code));
      const key = moved.join();
      let number = numbers.get(key);
      if (number === undefined) {
        number = sets.push(moved) - 1;
        numbers.set(key, number);
      }
      next.push(number);
    }
  }
  const accepting = Uint8Array.from(sets, (set) => (set.includes(nfa.final) ? 1 : 0));
  const starts = Uint16Array.from(runStarts);
  return new Dfa(Uint16Array.from(next), accepting, starts, runClasses, classCount);
}

function targetsOn(nfa: Nfa, states: readonly number[], code: number): number[] {
  const targets: number[] = [];
  for (const state of states) {
    const { set, first } = nfa.states[state]!;
    if (set !== undefined && includes(set, code)) targets.push(first);
  }
  return targets;
}

function includes(set: CharSet, code: number): boolean {
  for (let index = 0; index < set.length && set[index]! <= code; index += 2) {
    if (code <= set[index + 1]!) return true;
  }
  return false;
}

/** All states reachable without a character that wait for one, or are final; sorted. */
function closure(nfa: Nfa, from: readonly number[]): number[] {
  const seen = new Set<number>(from);
  const stack = [...from];
  const waiting: number[] = [];
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    const { set, first, second } = nfa.states[state]!;
    if (set !== undefined || state === nfa.final) {
      waiting.push(state);
      continue;
    }
    for (const target of [first, second]) {
      if (target === -1 || seen.has(target)) continue;
      seen.add(target);
      stack.push(target);
    }
  }
  return waiting.sort((a, b) => a - b);
}

/** Where the code units begin to be treated otherwise than the one before. */
function runsOf(nfa: Nfa): number[] {
  const starts = new Set<number>([0]);
  for (const { set } of nfa.states) {
    if (set === undefined) continue;
    for (let index = 0; index < set.length; index += 2) {
      starts.add(set[index]!);
      if (set[index + 1]! < CODE_MAX) starts.add(set[index + 1]! + 1);
    }
  }
  return [...starts].sort((a, b) => a - b);
}

/** Runs that no state tells apart are one class, which keeps the table small. */
function classesOf(nfa: Nfa, runStarts: readonly number[]) {
  const sets = [...new Set(nfa.states.map((state) => state.set))].filter(
    (set) => set !== undefined,
  );
  const numbers = new Map<string, number>();
  const representatives: number[] = [];
  const runClasses = Uint16Array.from(runStarts, (code) => {
    const key = sets.map((set) => (includes(set, code) ? "1" : "0")).join("");
    let number = numbers.get(key);
    if (number === undefined) {
      number = representatives.push(code) - 1;
      numbers.set(key, number);
    }
    return number;
  });
  return { runClasses, representatives };
}
