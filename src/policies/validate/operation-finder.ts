/** What is found for a path. */
export interface FoundPath<Operation> {
  /** By method, upper case. */
  readonly operations: ReadonlyMap<string, Operation>;
  /** Values of the template's parameters, in its order, still encoded. */
  readonly values: readonly string[];
}

/** A segment such as `{id}`, `{name}.json` or `{from}-{to}`. */
interface Variable<Operation> {
  readonly source: string;
  /** Texts before, between and after the parameters. */
  readonly literals: readonly string[];
  readonly branch: Branch<Operation>;
}

class Branch<Operation> {
  readonly fixed = new Map<string, Branch<Operation>>();
  readonly variables: Variable<Operation>[] = [];
  operations: Map<string, Operation> | null = null;
}

/** Finds the template that a path fits; what is written out wins over parameters (OpenAPI, section 4.8.8). */
export class OperationFinder<Operation> {
  private readonly root = new Branch<Operation>();

  /** @param template `/pets/{id}`, its fixed parts normalised as paths are */
  add(template: string, method: string, operation: Operation): void {
    let branch = this.root;
    for (const segment of template.slice(1).split("/")) branch = next(branch, segment);
    branch.operations ??= new Map();
    if (!branch.operations.has(method)) branch.operations.set(method, operation);
  }

  find(path: string): FoundPath<Operation> | null {
    return descend(this.root, path.slice(1).split("/"), 0, []);
  }
}

function next<Operation>(branch: Branch<Operation>, segment: string): Branch<Operation> {
  if (!segment.includes("{")) {
    const text = normalSegment(segment);
    const known = branch.fixed.get(text) ?? new Branch<Operation>();
    branch.fixed.set(text, known);
    return known;
  }
  const source = segment.replace(/\{[^}]*\}/g, "{}");
  const known = branch.variables.find((variable) => variable.source === source);
  if (known !== undefined) return known.branch;
  const literals = source.split("{}").map(normalSegment);
  const added: Variable<Operation> = { source, literals, branch: new Branch<Operation>() };
  branch.variables.push(added);
  // More that is written out comes first: `{name}.json` before `{name}`.
  branch.variables.sort((left, right) => right.source.length - left.source.length);
  return added.branch;
}

function descend<Operation>(
  branch: Branch<Operation>,
  segments: readonly string[],
  index: number,
  values: readonly string[],
): FoundPath<Operation> | null {
  if (index === segments.length) {
    return branch.operations === null ? null : { operations: branch.operations, values };
  }
  const segment = segments[index]!;
  const fixed = branch.fixed.get(segment);
  if (fixed !== undefined) {
    const found = descend(fixed, segments, index + 1, values);
    if (found !== null) return found;
  }
  for (const variable of branch.variables) {
    const taken = take(variable.literals, segment);
    if (taken === null) continue;
    const found = descend(variable.branch, segments, index + 1, [...values, ...taken]);
    if (found !== null) return found;
  }
  return null;
}

/** Values between the literals; each ends where the next literal first comes, the last as late as it can. */
function take(literals: readonly string[], segment: string): string[] | null {
  const last = literals.length - 1;
  if (!segment.startsWith(literals[0]!) || !segment.endsWith(literals[last]!)) return null;
  const values: string[] = [];
  let start = literals[0]!.length;
  for (let index = 1; index <= last; index++) {
    const isLast = index === last;
    const end = isLast
      ? segment.length - literals[last]!.length
      : segment.indexOf(literals[index]!, start + 1);
    if (end <= start) return null;
    values.push(segment.slice(start, end));
    start = end + literals[index]!.length;
  }
  return values;
}

/** As the gateway spells it: reserved characters as they are, anything beyond ASCII encoded. */
function normalSegment(text: string): string {
  try {
    return encodeURI(decodeURI(text)).replaceAll("%5B", "[").replaceAll("%5D", "]");
  } catch {
    return text;
  }
}
