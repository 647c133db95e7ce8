/** exchange-maps: the parts of an exchange that are maps to an expression. */
import type { Exchange } from "../exchange.ts";
import type { Fields } from "../../wire/fields.ts";
import type { CelInput } from "./cel-library.ts";
import { LazyMap } from "./lazy-map.ts";

/** The exchange that is looked at; one object for all expressions of a thread, since none of them waits. */
export interface CurrentExchange {
  exchange: Exchange;
}

abstract class ExchangeMap extends LazyMap {
  protected readonly current: CurrentExchange;

  constructor(current: CurrentExchange) {
    super();
    this.current = current;
  }
}

/** By names in lower case; how an expression spells one does not matter. */
export class RequestHeaders extends ExchangeMap {
  protected lookUp(name: string): string | undefined {
    return this.current.exchange.header(name.toLowerCase());
  }

  protected list(): ReadonlyMap<string, CelInput> {
    return headersOf(this.current.exchange.request.fields);
  }
}

export class ResponseHeaders extends ExchangeMap {
  protected lookUp(name: string): string | undefined {
    return this.current.exchange.response.fields.get(name.toLowerCase());
  }

  protected list(): ReadonlyMap<string, CelInput> {
    return headersOf(this.current.exchange.response.fields);
  }
}

/** First values, decoded. */
export class QueryParameters extends ExchangeMap {
  protected lookUp(name: string): string | undefined {
    return this.current.exchange.query(name);
  }

  protected list(): ReadonlyMap<string, CelInput> {
    const found = new Map<string, CelInput>();
    for (const [name, value] of new URLSearchParams(this.current.exchange.rawQuery)) {
      if (!found.has(name)) found.set(name, value);
    }
    return found;
  }
}

/** Values as sent. */
export class Cookies extends ExchangeMap {
  protected lookUp(name: string): string | undefined {
    return this.current.exchange.cookie(name);
  }

  protected list(): ReadonlyMap<string, CelInput> {
    const found = new Map<string, CelInput>();
    for (const pair of (this.current.exchange.header("cookie") ?? "").split(";")) {
      const equals = pair.indexOf("=");
      const name = pair.slice(0, Math.max(0, equals)).trim();
      if (name !== "" && !found.has(name)) found.set(name, pair.slice(equals + 1).trim());
    }
    return found;
  }
}

/** Parameters of the route's path. They are known by name only: an expression cannot go through them. */
export class PathParameters extends ExchangeMap {
  protected lookUp(name: string): string | undefined {
    return this.current.exchange.param(name);
  }

  protected list(): never {
    throw new Error("request.params cannot be listed");
  }
}

function headersOf(fields: Fields): ReadonlyMap<string, CelInput> {
  const found = new Map<string, CelInput>();
  fields.each((name) => {
    const lower = name.toLowerCase();
    const value = found.has(lower) ? undefined : fields.get(lower);
    if (value !== undefined) found.set(lower, value);
  });
  return found;
}
