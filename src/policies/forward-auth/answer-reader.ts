import type { Consumers } from "../../policy/consumers.ts";
import { Identity } from "../../policy/identity.ts";
import type { ServiceAnswer } from "../../policy/service-call.ts";

/** Response headers that say who is calling. */
export interface HeaderMap {
  readonly subject?: string | undefined;
  readonly consumer?: string | undefined;
  readonly groups?: string | undefined;
  readonly roles?: string | undefined;
  readonly scopes?: string | undefined;
}

/** What follows from a yes. */
export interface Acceptance {
  readonly identity: Identity;
  /** That the request takes on. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** That the client gets. */
  readonly cookies: readonly string[];
  readonly mayBeKept: boolean;
}

export interface Refusal {
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
}

interface ReaderOptions {
  readonly identity: HeaderMap;
  readonly upstreamHeaders: readonly string[];
  readonly clientHeaders: readonly string[];
  readonly cookies: boolean;
}

/** Reads what the service says of a request. */
export class AnswerReader {
  private readonly options: ReaderOptions;
  private readonly consumers: Consumers;

  constructor(options: ReaderOptions, consumers: Consumers) {
    this.options = options;
    this.consumers = consumers;
  }

  /** @returns null where it names a consumer that there is not */
  acceptance(answer: ServiceAnswer): Acceptance | null {
    const { upstreamHeaders, cookies } = this.options;
    const identity = this.identityOf(answer);
    if (identity === null) return null;
    const sets = cookiesOf(answer);
    const isPrivate = /\bno-store\b/i.test(answer.header("cache-control") ?? "");
    return {
      identity,
      headers: upstreamHeaders.flatMap((name) => {
        const value = answer.header(name);
        return value === undefined ? [] : [[name, value] as const];
      }),
      cookies: cookies ? sets : [],
      mayBeKept: sets.length === 0 && !isPrivate,
    };
  }

  private identityOf(answer: ServiceAnswer): Identity | null {
    const { subject, consumer, groups, roles, scopes } = this.options.identity;
    const name = valueOf(answer, consumer);
    const known = name === "" ? null : this.consumers.byName(name);
    if (known === undefined) return null;
    return new Identity({
      method: "forward-auth",
      subject: valueOf(answer, subject) || name,
      consumer: known,
      groups: listIn(valueOf(answer, groups), ","),
      roles: listIn(valueOf(answer, roles), ","),
      scopes: listIn(valueOf(answer, scopes), /[\s,]+/),
    });
  }

  refusal(answer: ServiceAnswer): Refusal {
    const { clientHeaders } = this.options;
    const headers: Record<string, string> = {};
    for (const name of clientHeaders) {
      const value = name === "set-cookie" ? undefined : answer.header(name);
      if (value !== undefined) headers[name] = value;
    }
    return { headers, cookies: clientHeaders.includes("set-cookie") ? cookiesOf(answer) : [] };
  }
}

/** Each for itself: they hold commas. */
function cookiesOf(answer: ServiceAnswer): string[] {
  const cookies: string[] = [];
  answer.each((name, value) => {
    if (name === "set-cookie") cookies.push(value);
  });
  return cookies;
}

/** "" where it is not wanted or not there. */
function valueOf(answer: ServiceAnswer, name: string | undefined): string {
  return name === undefined ? "" : (answer.header(name) ?? "");
}

function listIn(value: string, separator: string | RegExp): string[] {
  return value
    .split(separator)
    .map((one) => one.trim())
    .filter((one) => one !== "");
}
