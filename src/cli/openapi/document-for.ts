/** document-for: the configuration for an OpenAPI document. */
import {
  child,
  entries,
  items,
  mapOf,
  textOf,
  type DescribedOperation,
  type OpenApiDocument,
} from "../../policies/validate/open-api-document.ts";
import { importedPath } from "./imported-path.ts";

export interface ImportedPolicy {
  openapi: string;
  files?: string[];
  basePath?: string;
  patterns?: "backtracking";
}

interface Settings {
  /** URL of the service, in place of the document's server. */
  service: string | undefined;
  policy: ImportedPolicy | undefined;
  /** Takes what is not carried over. */
  notes: string[];
}

const SERVICE = "api";
const METHODS = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH"];
const DEFAULT_URL = "http://127.0.0.1:3000";

/** Plain data, as it is written in the file. */
export function documentFor(document: OpenApiDocument, settings: Settings): object {
  const { notes, policy } = settings;
  const { origin, basePath } = serverOf(document, notes);
  const url = settings.service ?? origin;
  if (url === undefined) {
    notes.push(
      `where the service is: the document does not say, so it is ${DEFAULT_URL}; give --service`,
    );
  }
  const routes = routesOf(document, basePath, notes);
  noteTheRest(document, notes);
  const options = { ...policy, ...(basePath === "" ? {} : { basePath }) };
  return {
    listen: 8080,
    services: {
      [SERVICE]: {
        targets: [url ?? DEFAULT_URL],
        ...(policy === undefined ? {} : { policies: [{ validate: options }] }),
      },
    },
    routes,
  };
}

function serverOf(document: OpenApiDocument, notes: string[]) {
  const [first, ...others] = items(child(document.root, "servers"));
  for (const { value } of others) notes.push(`the server ${textOf(mapOf(value)["url"])}`);
  if (first === undefined) return { origin: undefined, basePath: "" };
  const variables = new Map(
    entries(child(first, "variables")).map(([name, { value }]) => [
      name,
      textOf(mapOf(value)["default"]),
    ]),
  );
  const written = textOf(mapOf(first.value)["url"]);
  const filled = written.replace(/\{([^}]*)\}/g, (_, name: string) => variables.get(name) ?? name);
  if (filled !== written)
    notes.push(`variables of the server ${written}, which is taken for ${filled}`);
  const url = URL.parse(filled, "relative://here/");
  if (url === null) return { origin: undefined, basePath: "" };
  const basePath = url.pathname.replace(/\/+$/, "");
  const isHttp = url.protocol === "http:" || url.protocol === "https:";
  return { origin: isHttp ? url.origin : undefined, basePath };
}

interface ImportedRoute {
  match: { path: string; methods: string[] };
  service: string;
}

/** A route for each path; templates that take the same paths become one. */
function routesOf(document: OpenApiDocument, basePath: string, notes: string[]): ImportedRoute[] {
  const routes = new Map<string, ImportedRoute>();
  const operations = document.operations((trouble) => notes.push(trouble.message));
  for (const [template, group] of byTemplate(operations)) {
    const methods = group.map(({ method }) => method).filter((method) => METHODS.includes(method));
    for (const { method } of group) {
      if (!METHODS.includes(method)) notes.push(`${method} ${template}: the method`);
    }
    if (methods.length === 0) continue;
    const path = importedPath(document, basePath, template, group[0]!.parameters, notes);
    if (path === undefined) continue;
    const shape = path.replace(/:\w+/g, ":");
    const same = routes.get(shape);
    if (same === undefined) routes.set(shape, { match: { path, methods }, service: SERVICE });
    else same.match.methods = [...new Set([...same.match.methods, ...methods])];
  }
  return [...routes.values()];
}

function byTemplate(operations: readonly DescribedOperation[]) {
  const groups = new Map<string, DescribedOperation[]>();
  for (const operation of operations) {
    const group = groups.get(operation.template);
    if (group === undefined) groups.set(operation.template, [operation]);
    else group.push(operation);
  }
  return groups;
}

/** What does in the gateway what a security scheme describes. */
function policyForScheme({ type, scheme }: Readonly<Record<string, unknown>>): string {
  const isBasic = textOf(scheme).toLowerCase() === "basic";
  if (type === "http") return isBasic ? "the policy basic-auth" : "the policy jwt";
  if (type === "apiKey") return "the policy api-key";
  if (type === "oauth2") return "the policy jwt, or oauth2-introspection,";
  if (type === "openIdConnect") return "the policy jwt, or oidc,";
  return type === "mutualTLS" ? "the policy mtls" : "a policy for it";
}

function noteTheRest(document: OpenApiDocument, notes: string[]): void {
  for (const { method, template, node } of document.operations(() => {})) {
    if (mapOf(node.value)["deprecated"] !== true) continue;
    notes.push(`${method} ${template} is deprecated; the policy deprecation tells callers`);
  }
  const schemes = entries(child(child(document.root, "components"), "securitySchemes"));
  for (const [name, { value }] of schemes) {
    notes.push(`the security scheme ${name}; add ${policyForScheme(mapOf(value))} before validate`);
  }
  if (entries(child(document.root, "webhooks")).length > 0) notes.push("webhooks");
}
