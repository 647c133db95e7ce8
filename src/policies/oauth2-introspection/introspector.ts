import { parseStrictJson, type JsonObject } from "../../base/strict-json.ts";
import type { OutboundRequest, OutboundResponse } from "../../policy/outbound.ts";
import type { IntrospectionOptions } from "./introspection-options.ts";

/** Questions under way from one worker; beyond, the answer is that there is none. */
const UNDER_WAY_MAX = 200;

export interface IntrospectorSettings {
  readonly fetch: (request: OutboundRequest) => Promise<OutboundResponse>;
  readonly options: IntrospectionOptions;
  /** PEM; undefined: the platform's authorities. */
  readonly ca: string | undefined;
}

/** Asks the authorization server about tokens; about one token once at a time. */
export class Introspector {
  private readonly fetch: IntrospectorSettings["fetch"];
  private readonly request: OutboundRequest;
  private readonly bodyEnd: string;
  private readonly underWay = new Map<string, Promise<JsonObject>>();

  constructor({ fetch, options, ca }: IntrospectorSettings) {
    const { endpoint, client, timeout } = options;
    this.fetch = fetch;
    this.request = {
      url: endpoint,
      method: "POST",
      headers: {
        accept: "application/json",
        "content-type": "application/x-www-form-urlencoded",
        ...(client.method === "basic" ? { authorization: basicOf(client) } : {}),
      },
      timeoutMs: timeout,
      // A question changes nothing.
      isRepeatable: true,
      ...(ca === undefined ? {} : { ca }),
    };
    const inBody = { client_id: client.id, client_secret: client.secret };
    const more = client.method === "post" ? inBody : {};
    this.bodyEnd = `&${new URLSearchParams({ token_type_hint: "access_token", ...more }).toString()}`;
  }

  /** @returns a promise of what the server says; it rejects with an Error for the log */
  ask(token: string): Promise<JsonObject> {
    const known = this.underWay.get(token);
    if (known !== undefined) return known;
    if (this.underWay.size >= UNDER_WAY_MAX) {
      return Promise.reject(new Error(`${UNDER_WAY_MAX} questions are under way`));
    }
    const answer = this.send(token).finally(() => this.underWay.delete(token));
    this.underWay.set(token, answer);
    return answer;
  }

  private async send(token: string): Promise<JsonObject> {
    const body = `token=${encodeURIComponent(token)}${this.bodyEnd}`;
    const response = await this.fetch({ ...this.request, body });
    const { url } = this.request;
    if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
    const answer = parseStrictJson(response.body);
    if (answer === null) throw new Error(`${url} answered with something else than a JSON object`);
    if (typeof answer["active"] !== "boolean") throw new Error(`${url} does not say \`active\``);
    return answer;
  }
}

/** RFC 6749 section 2.3.1: both are form-encoded before they are joined. */
function basicOf({ id, secret }: { id: string; secret: string }): string {
  const pair = `${formEncoded(id)}:${formEncoded(secret)}`;
  return `Basic ${Buffer.from(pair).toString("base64")}`;
}

function formEncoded(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}
