import type { Dfa } from "./dfa.ts";

// Beyond this many pairs of states the search gives up and says that the languages may overlap.
const PAIRS_MAX = 50_000;

/**
 * A shortest non-empty text that both automata accept, undefined when there is none. An empty
 * string says that the search was given up: there may be one.
 */
export function commonText(left: Dfa, right: Dfa): string | undefined {
  const codes = representativesOf(left, right);
  const seen = new Set<number>();
  const queue: { left: number; right: number; text: string }[] = [{ left: 1, right: 1, text: "" }];
  for (const pair of queue) {
    for (const code of codes) {
      const nextLeft = left.next[pair.left * left.classCount + left.wideClassOf(code)]!;
      const nextRight = right.next[pair.right * right.classCount + right.wideClassOf(code)]!;
      if (nextLeft === 0 || nextRight === 0) continue;
      const key = nextLeft * right.accepting.length + nextRight;
      if (seen.has(key)) continue;
      seen.add(key);
      const text = pair.text + String.fromCharCode(code);
      if (left.accepting[nextLeft] === 1 && right.accepting[nextRight] === 1) return text;
      if (seen.size > PAIRS_MAX) return "";
      queue.push({ left: nextLeft, right: nextRight, text });
    }
  }
  return undefined;
}

/** One code unit of each kind that the two automata tell apart; readable ones first. */
function representativesOf(left: Dfa, right: Dfa): number[] {
  const perKind = new Map<string, number>();
  const consider = (code: number) => {
    const kind = `${left.wideClassOf(code)} ${right.wideClassOf(code)}`;
    if (!perKind.has(kind)) perKind.set(kind, code);
  };
  for (const character of "a1A-_.") consider(character.charCodeAt(0));
  for (let code = 0x21; code < 0x7f; code++) consider(code);
  for (const code of left.runStarts) consider(code);
  for (const code of right.runStarts) consider(code);
  return [...perKind.values()];
}
