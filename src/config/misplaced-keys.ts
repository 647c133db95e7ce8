import { z } from "zod";
import type { DocumentPath } from "./mistake.ts";
import { documentSchema } from "./schema/document.ts";
import type { PolicySchemas } from "./schema/policy-use.ts";

/** What is read of a JSON Schema. */
interface JsonNode {
  properties?: Record<string, JsonNode>;
  additionalProperties?: JsonNode | boolean;
  items?: JsonNode;
  anyOf?: JsonNode[];
}

/** Any name of a service, and any entry of `routes`: what could have been meant where neither is written. */
const SERVICE: DocumentPath = ["services", "NAME"];
const ROUTE: DocumentPath = ["routes", 0];

/** Tells where a key that is known, but not where it stands, would be right. */
export class MisplacedKeys {
  private readonly policies: PolicySchemas;
  private root: JsonNode | undefined;

  constructor(policies: PolicySchemas) {
    this.policies = policies;
  }

  /**
   * @param path of the map that has the key
   * @returns undefined where it is not known nearby, and for what is in a policy's options
   */
  hintFor(path: DocumentPath, key: string): string | undefined {
    if (path.includes("policies")) return undefined;
    if (Object.hasOwn(this.policies, key) && this.knows(path, "policies")) {
      return `it is a policy: write it in policies, - ${key}: …`;
    }
    const places = [this.nearby(path, key), this.aside(path, key)];
    return places.filter((place) => place !== undefined).join(", or ") || undefined;
  }

  private nearby(path: DocumentPath, key: string): string | undefined {
    const near = this.below(path, key) ?? this.above(path, key);
    if (near !== undefined || typeof path.at(-1) !== "string") return near;
    return this.below(path.slice(0, -1), key);
  }

  /** In a part of the map: written one level too high. */
  private below(path: DocumentPath, key: string): string | undefined {
    const parts = new Set<string>();
    for (const map of this.mapsAt(path)) {
      for (const [name, node] of Object.entries(map.properties ?? {})) {
        if (hasKey(mapsOf(node), key)) parts.add(name);
        else if (hasKey(entriesOf(node), key)) parts.add(`an entry of ${name}`);
      }
    }
    return parts.size === 0 ? undefined : `it belongs in ${[...parts].join(" or ")}`;
  }

  /** In a map around: written too deep. */
  private above(path: DocumentPath, key: string): string | undefined {
    for (let depth = path.length - 1; depth >= 0; depth--) {
      const around = path.slice(0, depth);
      const beside = path[depth]!;
      if (!this.knows(around, key)) continue;
      if (depth === 0) return "it belongs at the top of the document";
      if (typeof beside === "string") return `it belongs beside ${beside}, not in it`;
      return this.asMap(around, key);
    }
    return undefined;
  }

  /** A list was written that can be a map with the list in it. */
  private asMap(path: DocumentPath, key: string): string | undefined {
    const parts = this.mapsAt(path).flatMap((map) => Object.entries(map.properties ?? {}));
    const list = parts.find(([, node]) => entriesOf(node).length > 0);
    return list && `write ${path.at(-1)} as a map: { ${list[0]}: […], ${key}: … }`;
  }

  /** What routes have, and not services, or the other way round. */
  private aside(path: DocumentPath, key: string): string | undefined {
    const owner = path[0] === "routes" ? SERVICE : path[0] === "services" ? ROUTE : undefined;
    if (owner === undefined) return undefined;
    const within = path.slice(2);
    if (!this.knows([...owner, ...within], key)) return undefined;
    const parts = within.filter((part) => typeof part === "string").toReversed();
    return `it is an option of ${[...parts, owner[0]].join(" of ")}`;
  }

  private knows(path: DocumentPath, key: string): boolean {
    return hasKey(this.mapsAt(path), key);
  }

  private mapsAt(path: DocumentPath): JsonNode[] {
    this.root ??= z.toJSONSchema(documentSchema({}), {
      io: "input",
      unrepresentable: "any",
    }) as JsonNode;
    let nodes = [this.root];
    for (const part of path) nodes = nodes.flatMap((node) => stepInto(node, part));
    return nodes.flatMap(mapsOf);
  }
}

function stepInto(node: JsonNode, part: string | number): JsonNode[] {
  return formsOf(node).flatMap(({ items, properties, additionalProperties }) => {
    if (typeof part === "number") return items ?? [];
    if (properties !== undefined && Object.hasOwn(properties, part)) return properties[part]!;
    return typeof additionalProperties === "object" ? additionalProperties : [];
  });
}

/** A choice between forms as a list of them. */
function formsOf(node: JsonNode): JsonNode[] {
  return node.anyOf === undefined ? [node] : node.anyOf.flatMap(formsOf);
}

function mapsOf(node: JsonNode): JsonNode[] {
  return formsOf(node).filter(({ properties }) => properties !== undefined);
}

/** Maps that a list or a map of any names holds. */
function entriesOf(node: JsonNode): JsonNode[] {
  return formsOf(node).flatMap(({ items, additionalProperties: named }) => {
    if (items !== undefined) return mapsOf(items);
    return typeof named === "object" ? mapsOf(named) : [];
  });
}

function hasKey(maps: readonly JsonNode[], key: string): boolean {
  return maps.some(({ properties }) => Object.hasOwn(properties!, key));
}
