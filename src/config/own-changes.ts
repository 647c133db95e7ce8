/** own-changes: what a service's own policies do to requests, so that another service is not sent it. */
import { ExchangeMemory } from "../policy/exchange-memory.ts";
import type { Exchange } from "../policy/exchange.ts";
import type { CompiledHooks } from "../proxy/snapshot.ts";
import { NO_HOOKS } from "./compile-policies.ts";

interface Head {
  readonly fields: ReadonlyMap<string, string>;
  readonly query: string;
}

interface Change {
  readonly before: Head;
  after: Head | null;
}

/** They say what the body is, which goes on as it is. */
const OF_BODY = /^(?:content-.*|transfer-encoding|trailer|expect)$/;

/**
 * Stands around the service's own policies. What they have set or changed among the request's headers, such as a
 * credential for that service, is taken out again: put back is nothing, since it may be what they were there to
 * take away.
 */
export class OwnChanges {
  readonly before: CompiledHooks;
  readonly after: CompiledHooks;
  private readonly memory = new ExchangeMemory<Change>();

  constructor() {
    this.before = hooksOf((exchange) => {
      this.memory.set(exchange, { before: headOf(exchange), after: null });
    });
    this.after = hooksOf((exchange) => {
      const change = this.memory.get(exchange);
      if (change !== undefined) change.after = headOf(exchange);
    });
  }

  undo(exchange: Exchange): void {
    const change = this.memory.get(exchange);
    if (change?.after === null || change === undefined) return;
    const { before, after } = change;
    const { fields } = exchange.request;
    for (const [name, value] of after.fields) {
      if (before.fields.get(name) === value || OF_BODY.test(name)) continue;
      // A later policy may have set it for everybody.
      if (fields.get(name) === value) fields.remove(name);
    }
    if (before.query !== after.query && exchange.rawQuery === after.query)
      exchange.setQuery(before.query);
  }
}

function hooksOf(onRequest: (exchange: Exchange) => void): CompiledHooks {
  return { ...NO_HOOKS, onRequest: [onRequest], outward: [0], outwardEnd: [0] };
}

function headOf({ request, rawQuery }: Exchange): Head {
  const fields = new Map<string, string>();
  request.fields.each((name) => {
    const lower = name.toLowerCase();
    if (!fields.has(lower)) fields.set(lower, request.fields.get(lower) ?? "");
  });
  return { fields, query: rawQuery };
}
