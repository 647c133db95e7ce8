import { has, isMap, type Json, type JsonMap } from "../json-value.ts";
import type { Path } from "./path.ts";

/** Is told of a place: the value is `holder[key]`. May change or remove it. */
export type Visit<Context> = (
  holder: JsonMap | Json[],
  key: string | number,
  context: Context,
) => void;

/** Goes to every place in a value that a path leads to. */
export type Places<Context> = (value: Json, context: Context) => void;

/**
 * Compiles a path and what is done there. Elements of lists are visited last to first and before what
 * they stand in, so that `visit` may remove what it is told of. Missing places are passed over.
 */
export function compilePlaces<Context>(path: Path, visit: Visit<Context>): Places<Context> {
  let places: Places<Context> | undefined;
  for (const segment of path.toReversed()) {
    const next = places;
    const reach: Visit<Context> =
      next === undefined ? visit : (holder, key, context) => next(valueAt(holder, key), context);
    switch (segment.kind) {
      case "name":
        places = atName(segment.name, reach);
        break;
      case "index":
        places = atIndex(segment.index, reach);
        break;
      case "elements":
        places = atElements(reach);
        break;
      case "any":
        places = atAny(reach);
        break;
      case "deep":
        // A path never ends with it.
        places = anywhere(next!);
    }
  }
  return places ?? (() => {});
}

export function valueAt(holder: JsonMap | Json[], key: string | number): Json {
  return (holder as JsonMap)[key]!;
}

export function replace(holder: JsonMap | Json[], key: string | number, value: Json): void {
  (holder as JsonMap)[key] = value;
}

export function removeAt(holder: JsonMap | Json[], key: string | number): void {
  if (Array.isArray(holder)) holder.splice(key as number, 1);
  else holder[key] = undefined;
}

function atName<Context>(name: string, reach: Visit<Context>): Places<Context> {
  return (value, context) => {
    if (isMap(value) && has(value, name)) reach(value, name, context);
  };
}

function atIndex<Context>(index: number, reach: Visit<Context>): Places<Context> {
  return (value, context) => {
    if (Array.isArray(value) && index < value.length) reach(value, index, context);
  };
}

function atElements<Context>(reach: Visit<Context>): Places<Context> {
  return (value, context) => {
    if (!Array.isArray(value)) return;
    for (let index = value.length - 1; index >= 0; index--) reach(value, index, context);
  };
}

function atAny<Context>(reach: Visit<Context>): Places<Context> {
  const elements = atElements(reach);
  return (value, context) => {
    elements(value, context);
    if (!isMap(value)) return;
    for (const name of Object.keys(value)) {
      if (value[name] !== undefined) reach(value, name, context);
    }
  };
}

function anywhere<Context>(here: Places<Context>): Places<Context> {
  const places: Places<Context> = (value, context) => {
    if (Array.isArray(value)) {
      for (const one of value) if (typeof one === "object") places(one, context);
    } else if (isMap(value)) {
      for (const name in value) {
        const one = value[name];
        if (typeof one === "object") places(one, context);
      }
    } else return;
    here(value, context);
  };
  return places;
}
