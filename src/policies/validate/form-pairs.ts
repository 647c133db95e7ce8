import { decodeText } from "./parameter-styles.ts";

const NONE: readonly string[] = [];

/** Names and values of a query, a form (WHATWG URL, section 5.1) or cookies; values are decoded when read. */
export class FormPairs {
  /** A name is not correctly encoded. */
  readonly hasBrokenName: boolean;
  private readonly raws: ReadonlyMap<string, readonly string[]>;
  private readonly isForm: boolean;

  private constructor(raws: Map<string, string[]>, hasBrokenName: boolean, isForm: boolean) {
    this.raws = raws;
    this.hasBrokenName = hasBrokenName;
    this.isForm = isForm;
  }

  /** `a=1&b=2`. */
  static ofForm(text: string): FormPairs {
    return collect(text, "&", true, (...parts) => new FormPairs(...parts));
  }

  /** `a=1; b=2`, as in a Cookie header. */
  static ofCookies(text: string): FormPairs {
    return collect(text, ";", false, (...parts) => new FormPairs(...parts));
  }

  /** All values of a name, as sent. */
  get(name: string): readonly string[] {
    return this.raws.get(name) ?? NONE;
  }

  entries(): Iterable<[string, readonly string[]]> {
    return this.raws.entries();
  }

  names(): Iterable<string> {
    return this.raws.keys();
  }

  /** Undefined where the encoding is broken. */
  decode(raw: string): string | undefined {
    return decodeText(raw, this.isForm);
  }
}

type Parts = [raws: Map<string, string[]>, hasBrokenName: boolean, isForm: boolean];

function collect(
  text: string,
  separator: string,
  isForm: boolean,
  make: (...parts: Parts) => FormPairs,
): FormPairs {
  const raws = new Map<string, string[]>();
  let hasBrokenName = false;
  for (const part of text === "" ? [] : text.split(separator)) {
    const pair = isForm ? part : part.trim();
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const rawName = equals === -1 ? pair : pair.slice(0, equals);
    const name = isForm ? decodeText(rawName, true) : rawName;
    if (name === undefined) {
      hasBrokenName = true;
      continue;
    }
    const value = equals === -1 ? "" : pair.slice(equals + 1);
    const list = raws.get(name);
    if (list === undefined) raws.set(name, [value]);
    else list.push(value);
  }
  return make(raws, hasBrokenName, isForm);
}
