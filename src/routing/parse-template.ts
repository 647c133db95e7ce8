import type { PathPattern } from "./path-pattern.ts";
import { PathTemplate } from "./path-template.ts";
import { RoutingError } from "./routing-error.ts";

/** A template taken apart: a literal in front of each place, and one after the last. */
export interface TemplateParts {
  readonly literals: readonly string[];
  readonly places: readonly TemplatePlace[];
}

export interface TemplatePlace {
  /** Name of a parameter, `*` or the rest's own name for the rest. */
  readonly name: string;
  readonly isRest: boolean;
  readonly position: number;
  /** The position after it. */
  readonly end: number;
}

const PARAM = /^:([A-Za-z_]\w*)/;
const REST = /^\*([A-Za-z_]\w*)?/;

/** Finds `:name` and `*` in a template; `\` in front of them makes them ordinary characters. */
export function parseTemplate(source: string): TemplateParts {
  const literals: string[] = [];
  const places: TemplatePlace[] = [];
  let literal = "";
  let position = 0;
  while (position < source.length) {
    const place = placeAt(source, position);
    if (place !== undefined) {
      literals.push(literal);
      places.push(place);
      literal = "";
      position = place.end;
      continue;
    }
    if (source[position] === "\\" && /[:*\\]/.test(source[position + 1] ?? "")) position++;
    literal += source[position++];
  }
  literals.push(literal);
  return { literals, places };
}

function placeAt(source: string, position: number): TemplatePlace | undefined {
  const isRest = source[position] === "*";
  if (!isRest && source[position] !== ":") return undefined;
  const found = (isRest ? REST : PARAM).exec(source.slice(position));
  if (found === null) return undefined;
  const end = position + found[0].length;
  return { name: found[1] ?? "*", isRest, position, end };
}

/**
 * Connects the places of a template with the parameters of a pattern.
 *
 * @throws RoutingError for a place that the pattern has no parameter for.
 */
export function bindTemplate(parts: TemplateParts, pattern: PathPattern): PathTemplate {
  const params = parts.places.map((place) => {
    const { paramNames, hasRest } = pattern;
    const last = paramNames.length - 1;
    if (place.name === "*" && hasRest) return last;
    const index = paramNames.indexOf(place.name);
    const kindFits = place.isRest === (hasRest && index === last);
    if (index === -1 || !kindFits) throw unknownParam(place, pattern);
    return index;
  });
  return new PathTemplate(parts.literals, params);
}

function unknownParam(place: TemplatePlace, pattern: PathPattern): RoutingError {
  const written = place.isRest && place.name !== "*" ? `*${place.name}` : place.name;
  const shown = place.isRest ? written : `:${written}`;
  return new RoutingError(
    `\`${shown}\` is not in the path \`${pattern.source}\``,
    known(pattern),
    place.position,
  );
}

function known({ paramNames, hasRest }: PathPattern): string {
  if (paramNames.length === 0) return "it has no parameters; `\\:` and `\\*` are the characters";
  const names = paramNames.map((name, index) => {
    if (!hasRest || index < paramNames.length - 1) return `:${name}`;
    return name === "*" ? "*" : `*${name}`;
  });
  return `it has ${names.join(", ")}`;
}
