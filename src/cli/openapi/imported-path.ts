import {
  child,
  mapOf,
  textOf,
  type Node,
  type OpenApiDocument,
} from "../../policies/validate/open-api-document.ts";
import { parsePathPattern } from "../../routing/path-pattern.ts";
import { RoutingError } from "../../routing/routing-error.ts";
import { Refusal } from "../../policy/values/refusal.ts";

/** `/pets/{pet-id}` as the path of a route: `/pets/:pet_id(\d+)`. Undefined, with a note, where there is none. */
export function importedPath(
  document: OpenApiDocument,
  basePath: string,
  template: string,
  parameters: readonly Node[],
  notes: string[],
): string | undefined {
  const taken = new Set<string>();
  const constraints = new Map(parameters.map((node) => [textOf(mapOf(node.value)["name"]), node]));
  const write = (constrains: boolean): string => {
    taken.clear();
    const parts = template.split(/\{([^}]*)\}/);
    const written = parts.map((part, index) => {
      if (index % 2 === 0) return escaped(part);
      const node = constraints.get(part);
      const constraint = constrains && node !== undefined ? constraintOf(document, node) : "";
      return `:${nameFor(part, taken)}${constraint}`;
    });
    return escaped(basePath) + written.join("");
  };
  for (const path of [write(true), write(false)]) {
    if (isPath(path)) return path;
  }
  notes.push(`the path ${template}: no route can be written for it`);
  return undefined;
}

function isPath(path: string): boolean {
  try {
    parsePathPattern(path);
    return true;
  } catch (error) {
    if (error instanceof RoutingError) return false;
    throw error;
  }
}

function escaped(text: string): string {
  let normal = text;
  try {
    normal = encodeURI(decodeURI(text));
  } catch {
    // It stays as it is, and the path is refused if that is wrong.
  }
  return normal.replace(/[\\:*]/g, "\\$&");
}

function nameFor(written: string, taken: Set<string>): string {
  const plain = written.replace(/\W/g, "_").replace(/^(?=\d|$)/, "_");
  let name = plain;
  for (let count = 2; taken.has(name); count++) name = `${plain}_${count}`;
  taken.add(name);
  return name;
}

/** What the schema says of all values, where an expression says no less. */
function constraintOf(document: OpenApiDocument, parameter: Node): string {
  try {
    const {
      type,
      format,
      enum: values,
      pattern,
    } = mapOf(document.resolve(child(parameter, "schema")).value);
    const { style } = mapOf(parameter.value);
    if (style !== undefined && style !== "simple") return "";
    if (type === "integer") return "(-?\\d+)";
    if (format === "uuid") return "([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})";
    const isPlain = (value: unknown): boolean =>
      typeof value === "string" && /^[\w-]+$/.test(value);
    if (Array.isArray(values) && values.length <= 20 && values.every(isPlain))
      return `(${values.join("|")})`;
    const isWhole = typeof pattern === "string" && /^\^[^|^$\\/%]+\$$/.test(pattern);
    return isWhole ? `(${pattern.slice(1, -1)})` : "";
  } catch (error) {
    if (error instanceof Refusal) return "";
    throw error;
  }
}
