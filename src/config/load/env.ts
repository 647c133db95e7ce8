import { nearest } from "../../policy/values/did-you-mean.ts";
import { mistakeAt, type DocumentPath, type Finding } from "../mistake.ts";

/** Variables by name; `process.env` is one. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Puts environment variables into every string: `${NAME}`, `${NAME:-used when unset or empty}`,
 * and `$${` for a plain `${`. The values stay strings: what is in a variable can never become
 * structure. Keys are left alone. Findings name each variable that is not there; the data still
 * holds the reference at that path.
 */
export function substituteEnvironment(
  data: unknown,
  environment: Environment,
): { data: unknown; findings: Finding[] } {
  const findings: Finding[] = [];
  const path: (string | number)[] = [];
  // YAML's aliases give one map several places: it is changed once, or `$${` would be undone twice.
  const seen = new Set<unknown>();
  return { data: substituted(data), findings };

  function substituted(value: unknown): unknown {
    if (typeof value === "string") return value.includes("${") ? expand(value) : value;
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return value;
    seen.add(value);
    // In place, without copies: the data is ours, and big documents hold few variables.
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index++) {
        path.push(index);
        value[index] = substituted(value[index]);
        path.pop();
      }
      return value;
    }
    const map = value as Record<string, unknown>;
    for (const key of Object.keys(map)) {
      path.push(key);
      const part = map[key];
      const result = substituted(part);
      if (result !== part) map[key] = result;
      path.pop();
    }
    return value;
  }

  function expand(text: string): string {
    return text.replaceAll(/\$?\$\{([^}]*)\}?/g, (reference, inside: string) => {
      if (reference.startsWith("$$")) return reference.slice(1);
      const parts = reference.endsWith("}") ? /^([A-Za-z_]\w*)(?::-(.*))?$/s.exec(inside) : null;
      if (parts === null) {
        const hint = "write ${NAME} or ${NAME:-default}, and $${ for a plain ${";
        findings.push(mistakeAt([...path], `${reference} is not a variable`, hint));
        return reference;
      }
      const [, name = "", fallback] = parts;
      const value = environment[name];
      if (value !== undefined && (value !== "" || fallback === undefined)) return value;
      if (fallback !== undefined) return fallback;
      findings.push(missing(name, [...path]));
      return reference;
    });
  }

  function missing(name: string, at: DocumentPath): Finding {
    const near = nearest(name, Object.keys(environment));
    const hint =
      near === undefined ? `set it, or write \${${name}:-default}` : `did you mean ${near}?`;
    return mistakeAt(at, `the environment has no ${name}`, hint);
  }
}
