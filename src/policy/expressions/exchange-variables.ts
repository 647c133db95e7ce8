/** exchange-variables: the exchange as the variables of an expression. */
import type { Clock } from "../environment.ts";
import type { Exchange } from "../exchange.ts";
import type { Identity } from "../identity.ts";
import { NO_LENGTH } from "../../wire/http1/request-head.ts";
import { celLibrary, type CelInput, type CelLibrary } from "./cel-library.ts";
import {
  Cookies,
  PathParameters,
  QueryParameters,
  RequestHeaders,
  ResponseHeaders,
  type CurrentExchange,
} from "./exchange-maps.ts";
import { identityMap } from "./identity-map.ts";
import { LazyMap } from "./lazy-map.ts";

type Member = () => CelInput | undefined;

/** A map whose members are asked for by functions. */
class MemberMap extends LazyMap {
  private readonly members: ReadonlyMap<string, Member>;

  constructor(members: Readonly<Record<string, Member>>) {
    super();
    this.members = new Map(Object.entries(members));
  }

  protected lookUp(name: string): CelInput | undefined {
    return this.members.get(name)?.();
  }

  protected list(): ReadonlyMap<string, CelInput> {
    const found = new Map<string, CelInput>();
    for (const [name, member] of this.members) {
      const value = member();
      if (value !== undefined) found.set(name, value);
    }
    return found;
  }
}

/**
 * What expressions read, of the exchange that `look` names: one object serves all expressions of a
 * thread. Nothing is taken from the exchange but what an expression names.
 *
 * The library looks a path such as `request.headers.accept` up by its longest name first
 * (`request.headers.accept`, `request.headers`, `request`), so that members stand here under their whole
 * names too and cost one look-up.
 */
export class ExchangeVariables implements CurrentExchange {
  exchange: Exchange;
  /** For the library. */
  readonly bindings: Readonly<Record<string, CelInput>>;
  private readonly identities: WeakMap<Identity, CelInput>;
  private readonly library: CelLibrary;

  constructor(clock: Clock) {
    this.exchange = NONE;
    this.identities = new WeakMap();
    this.library = celLibrary();
    const { cel } = this.library;
    const request: Readonly<Record<string, Member>> = {
      method: () => this.exchange.method,
      scheme: () => this.exchange.scheme,
      host: () => this.exchange.host,
      path: () => this.exchange.path,
      query: constant(cel.celMap(new QueryParameters(this))),
      headers: constant(cel.celMap(new RequestHeaders(this))),
      cookies: constant(cel.celMap(new Cookies(this))),
      params: constant(cel.celMap(new PathParameters(this))),
      protocol: () => this.exchange.protocol,
      contentLength: () => contentLengthOf(this.exchange),
    };
    const client = { address: () => this.exchange.clientAddress };
    const response: Readonly<Record<string, Member>> = {
      status: () => BigInt(this.exchange.response.status),
      headers: constant(cel.celMap(new ResponseHeaders(this))),
    };
    const responseMap = cel.celMap(new MemberMap(response));
    const roots: Readonly<Record<string, Member>> = {
      request: constant(cel.celMap(new MemberMap(request))),
      client: constant(cel.celMap(new MemberMap(client))),
      identity: () => this.identity(),
      route: () => this.exchange.routeName,
      service: () => this.exchange.serviceName,
      failure: () => this.exchange.failure,
      now: () => this.library.timestamp(clock.now()),
      // What an earlier exchange of the same connection left in the head is none of this one's.
      response: () => (this.exchange.response.status === 0 ? undefined : responseMap),
    };
    this.bindings = bindingsOf({
      ...roots,
      ...prefixed("request", request),
      ...prefixed("client", client),
    });
  }

  look(exchange: Exchange): void {
    this.exchange = exchange;
  }

  /** An idle worker does not keep the last exchange alive. */
  lookAway(): void {
    this.exchange = NONE;
  }

  private identity(): CelInput {
    const { identity } = this.exchange;
    if (identity === null) return null;
    let map = this.identities.get(identity);
    if (map === undefined) {
      map = this.library.cel.celMap(identityMap(identity));
      this.identities.set(identity, map);
    }
    return map;
  }
}

const NONE = {} as Exchange;

function constant(value: CelInput): Member {
  return () => value;
}

function prefixed(
  root: string,
  members: Readonly<Record<string, Member>>,
): Readonly<Record<string, Member>> {
  return Object.fromEntries(
    Object.entries(members).map(([name, member]) => [`${root}.${name}`, member]),
  );
}

function bindingsOf(members: Readonly<Record<string, Member>>): Record<string, CelInput> {
  const getters = Object.entries(members).map(([name, get]) => [name, { get }] as const);
  return Object.create(null, Object.fromEntries(getters)) as Record<string, CelInput>;
}

/** Undefined where it is not known beforehand. */
function contentLengthOf({ request }: Exchange): bigint | undefined {
  if (request.contentLength !== NO_LENGTH) return BigInt(request.contentLength);
  return request.chunked ? undefined : 0n;
}
