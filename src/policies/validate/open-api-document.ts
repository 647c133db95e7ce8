import { posix } from "node:path";
import { Refusal } from "../../policy/values/refusal.ts";
import { escapeName, valueAt } from "./json-pointer.ts";

/** A part of a document, and where it stands. */
export interface Node {
  readonly value: unknown;
  /** Normalised path of its file. */
  readonly file: string;
  /** JSON Pointer within the file. */
  readonly pointer: string;
}

export type Version = "3.0" | "3.1";

export const METHODS = [
  "get",
  "put",
  "post",
  "delete",
  "options",
  "head",
  "patch",
  "trace",
] as const;

/** One operation: a method of a path. */
export interface DescribedOperation {
  /** Upper case. */
  readonly method: string;
  /** As in the document: `/pets/{id}`. */
  readonly template: string;
  /** "" where it has none. */
  readonly operationId: string;
  readonly node: Node;
  /** Parameters of the path and its own, resolved; its own stand in for those of the path. */
  readonly parameters: readonly Node[];
}

const REFS_MAX = 50;

/** An OpenAPI document with the files that it refers to. Nothing is fetched. */
export class OpenApiDocument {
  readonly version: Version;
  readonly root: Node;
  /**
   * Some schema says `unevaluatedProperties` or `unevaluatedItems`: it has to know what the schemas that it
   * refers to have looked at.
   */
  readonly usesUnevaluated: boolean;
  private readonly contents: ReadonlyMap<string, unknown>;

  /** @param contents what the files hold, by their normalised paths */
  constructor(root: Node, version: Version, contents: ReadonlyMap<string, unknown>) {
    this.root = root;
    this.version = version;
    this.contents = contents;
    this.usesUnevaluated = [...contents.values()].some(mentionsUnevaluated);
  }

  /** @throws Refusal for what is no OpenAPI document of a version that is known */
  static read(file: string, contents: ReadonlyMap<string, unknown>): OpenApiDocument {
    const path = posix.normalize(file);
    const root = { file: path, value: contents.get(path), pointer: "" };
    const version = /^3\.[01](?=\.|$)/.exec(textOf(mapOf(root.value)["openapi"]))?.[0];
    if (version === undefined) {
      const hint = "convert Swagger 2.0 to OpenAPI 3 first, such as by swagger2openapi";
      throw new Refusal(`${file} is no OpenAPI document of version 3.0 or 3.1`, hint);
    }
    return new OpenApiDocument(root, version as Version, contents);
  }

  /** What a node is, or refers to. @throws Refusal when it leads nowhere */
  resolve(node: Node): Node {
    let current = node;
    for (let count = 0; count < REFS_MAX; count++) {
      const ref = mapOf(current.value)["$ref"];
      if (typeof ref !== "string") return current;
      current = this.follow(ref, current);
    }
    throw new Refusal(`${placeOf(node)} refers to itself`);
  }

  /** @throws Refusal when there is nothing */
  follow(ref: string, from: Node): Node {
    if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(ref)) {
      const hint = "nothing is fetched: save it beside the document and refer to the file";
      throw new Refusal(`${placeOf(from)} refers to ${ref}`, hint);
    }
    const hash = ref.indexOf("#");
    const path = hash === -1 ? ref : ref.slice(0, hash);
    const file = path === "" ? from.file : posix.join(posix.dirname(from.file), decode(path));
    if (!this.contents.has(file)) {
      throw new Refusal(`${placeOf(from)} refers to ${ref}`, `add ${file} to \`files\``);
    }
    const pointer = hash === -1 ? "" : decode(ref.slice(hash + 1));
    const value = valueAt(this.contents.get(file), pointer);
    if (value === undefined || (pointer !== "" && !pointer.startsWith("/"))) {
      throw new Refusal(`${placeOf(from)} refers to ${ref}, which is not there`);
    }
    return { value, file, pointer };
  }

  /** @param onTrouble hears of what cannot be resolved, which is left out */
  operations(onTrouble: (error: Refusal) => void): DescribedOperation[] {
    const found: DescribedOperation[] = [];
    const paths = child(this.root, "paths");
    for (const template of Object.keys(mapOf(paths.value))) {
      if (!template.startsWith("/")) continue;
      attempt(onTrouble, () => {
        const item = this.resolve(child(paths, template));
        const shared = this.parametersOf(item, onTrouble);
        for (const method of METHODS) {
          const node = child(item, method);
          if (typeof node.value !== "object" || node.value === null) continue;
          const own = this.parametersOf(node, onTrouble);
          const names = new Set(own.map(parameterKey));
          found.push({
            method: method.toUpperCase(),
            template,
            operationId: textOf(mapOf(node.value)["operationId"]),
            node,
            parameters: [...shared.filter((one) => !names.has(parameterKey(one))), ...own],
          });
        }
      });
    }
    return found;
  }

  private parametersOf(owner: Node, onTrouble: (error: Refusal) => void): Node[] {
    const list = child(owner, "parameters");
    const resolved: Node[] = [];
    for (const one of items(list)) {
      attempt(onTrouble, () => resolved.push(this.resolve(one)));
    }
    return resolved;
  }
}

function parameterKey({ value }: Node): string {
  const { in: place, name } = mapOf(value);
  return `${String(place)} ${String(name)}`;
}

function attempt(onTrouble: (error: Refusal) => void, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    onTrouble(error);
  }
}

export function child({ value, file, pointer }: Node, key: string): Node {
  const map = mapOf(value);
  return {
    value: Object.hasOwn(map, key) ? map[key] : undefined,
    file,
    pointer: `${pointer}/${escapeName(key)}`,
  };
}

/** Elements of a list; none where it is no list. */
export function items({ value, file, pointer }: Node): Node[] {
  if (!Array.isArray(value)) return [];
  return value.map((one: unknown, index) => ({ value: one, file, pointer: `${pointer}/${index}` }));
}

/** Entries of a map; none where it is no map. */
export function entries(node: Node): [name: string, node: Node][] {
  if (Array.isArray(node.value)) return [];
  return Object.keys(mapOf(node.value)).map((name) => [name, child(node, name)]);
}

/** The value as a map; an empty one for anything else. */
export function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** The value as text; "" for anything else. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** For people: `api.yaml#/paths/~1pets/get`. */
export function placeOf({ file, pointer }: Node): string {
  return `${file}#${pointer}`;
}

function mentionsUnevaluated(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  for (const key of Object.keys(value)) {
    if (key.startsWith("unevaluated")) return true;
    if (mentionsUnevaluated((value as Record<string, unknown>)[key])) return true;
  }
  return false;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
