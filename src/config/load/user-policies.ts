/** user-policies: the policies that a document names and that do not come with the gateway. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { z } from "zod";
import type { PolicyDefinition } from "../../policy/policy.ts";
import type { PolicyDefinitions } from "../known-policies.ts";
import { policyNames } from "../../policies/names.ts";
import { mistakeAt, type Finding } from "../mistake.ts";
import { ANONYMOUS } from "../schema/policy-use.ts";
import { moduleMistake, thrownByModule } from "./module-mistake.ts";
import { filesOf, importPolicyModule, packageUrl, versionedUrl } from "./policy-modules.ts";
import { writtenUses } from "./policy-names.ts";
import { unreadable } from "./read-source.ts";

const known: ReadonlySet<string> = new Set(policyNames);

/** Policies from files and packages, by their names in the document. */
export interface UserPolicies {
  definitions: PolicyDefinitions;
  /** URL of the module of each, for workers: another one when a file has another content. */
  modules: Record<string, string>;
  /** Absolute paths of the files that they are made of. */
  files: string[];
  /** Folders of the files that the document names. */
  folders: string[];
}

/** Loads them all. What cannot be loaded is a finding, and stands in for itself as a policy that fits anywhere. */
export async function loadUserPolicies(
  data: unknown,
  document: string,
): Promise<{ policies: UserPolicies | undefined; findings: Finding[] }> {
  const policies: UserPolicies = { definitions: {}, modules: {}, files: [], folders: [] };
  const findings: Finding[] = [];
  const outcomes = new Map<string, Outcome | undefined>();
  const definitions: Record<string, PolicyDefinition> = {};
  for (const { name, path } of writtenUses(data)) {
    if (known.has(name) || name === ANONYMOUS) continue;
    if (!outcomes.has(name)) outcomes.set(name, await loadNamed(name, document));
    const outcome = outcomes.get(name);
    if (outcome === undefined) continue;
    definitions[name] = outcome.definition ?? standIn;
    policies.modules[name] = outcome.url;
    if (outcome.message !== undefined) {
      findings.push({ ...mistakeAt(path, outcome.message, outcome.hint), atKey: true });
    }
  }
  policies.definitions = definitions;
  for (const [name, outcome] of outcomes) {
    if (outcome === undefined) continue;
    policies.files.push(...outcome.files);
    if (isFileName(name)) policies.folders.push(dirname(resolve(dirname(document), name)));
  }
  return { policies: outcomes.size > 0 ? policies : undefined, findings };
}

/** Whether the files of policies that were loaded have another content now. */
export async function haveChanged({ modules }: UserPolicies): Promise<boolean> {
  for (const url of Object.values(modules)) {
    if ((await currentUrl(new URL(url))) !== url) return true;
  }
  return false;
}

/** A name that is a path: of a file beside the document. */
export function isFileName(name: string): boolean {
  return /^(\.{1,2}\/|\/)/.test(name);
}

interface Outcome {
  url: string;
  files: string[];
  definition?: PolicyDefinition;
  /** What is wrong with it. */
  message?: string;
  hint?: string | undefined;
}

/** Takes any options and any place, so that only the one mistake is told. */
const standIn: PolicyDefinition = {
  name: "unusable",
  summary: "Stands in for a policy that cannot be loaded.",
  schema: z.unknown(),
  provides: ["identity"],
  compile: () => ({}),
  compileAuthenticator: () => ({ authenticate: () => null, challenge: "" }),
};

/** Undefined where the name means nothing. */
async function loadNamed(name: string, document: string): Promise<Outcome | undefined> {
  const base = locateModule(name, document);
  if (base === undefined) return undefined;
  const url = await currentUrl(base);
  const folder = dirname(document);
  try {
    const { default: definition } = await importPolicyModule(url);
    const files = await remember(base, url, false);
    const objection = objectionTo(definition);
    if (objection === undefined) return { url, files, definition: definition as PolicyDefinition };
    return { url, files, message: `${name} ${objection.message}`, hint: objection.hint };
  } catch (error) {
    const files = await remember(base, url, true);
    return { url, files, ...(await failureOf(error, { name, file: fileURLToPath(base), folder })) };
  }
}

function locateModule(name: string, document: string): URL | undefined {
  if (isFileName(name)) return pathToFileURL(resolve(dirname(document), name));
  const from = pathToFileURL(document).href;
  try {
    if (!/^(@[\w.-]+\/)?[\w.-]+(\/[\w.-]+)*$/.test(name) || name.startsWith(".")) return undefined;
    if (findPackageJSON(name, from) === undefined) return undefined;
    const url = new URL(packageUrl(name, from));
    return url.protocol === "file:" ? url : undefined;
  } catch {
    return undefined;
  }
}

async function failureOf(
  error: unknown,
  { name, file, folder }: { name: string; file: string; folder: string },
): Promise<{ message: string; hint?: string | undefined }> {
  const missing = await reasonUnreadable(file);
  if (missing !== undefined) {
    return { message: `${name}: ${missing}`, hint: "paths are relative to the config file" };
  }
  const thrown = thrownByModule(error);
  if (thrown.code === "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING") {
    const hint = "packages hold JavaScript: build it before it is published";
    return { message: `${name} is TypeScript in a package`, hint };
  }
  const { message, ...place } = await moduleMistake(thrown, file, import.meta.url);
  const short = relative(folder, place.file ?? file);
  const where = `${short.startsWith("..") ? (place.file ?? file) : short}:${place.line}:${place.column}`;
  return { message: `${name} cannot be loaded: ${message} (${where})` };
}

async function reasonUnreadable(file: string): Promise<string | undefined> {
  try {
    await readFile(file);
    return undefined;
  } catch (error) {
    return unreadable(error as NodeJS.ErrnoException);
  }
}

/** What keeps an export from being a policy. */
function objectionTo(value: unknown): { message: string; hint?: string } | undefined {
  const hint = "write export default definePolicy({ … })";
  if (value === undefined) return { message: "has no default export", hint };
  if (typeof value !== "object" || value === null) {
    return { message: "exports something else than a policy", hint };
  }
  const { name, schema, compile } = value as Partial<PolicyDefinition>;
  if (typeof compile !== "function")
    return { message: "exports no policy: compile is missing", hint };
  if (schema === undefined) return { message: "exports no policy: its schema is missing", hint };
  // One zod cannot read the schemas of another generation.
  if (!("_zod" in schema)) {
    return { message: "has a schema of another zod", hint: 'import { z } from "gateward"' };
  }
  if (typeof name !== "string" || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    return { message: "has no name in kebab-case", hint: 'such as name: "geo-block"' };
  }
  if (known.has(name))
    return {
      message: `is called ${name}, as one that comes with the gateway`,
      hint: "call it otherwise",
    };
  return undefined;
}

/** How a module was loaded last. */
interface ModuleState {
  url: string;
  /** Of all files, as they were then. */
  digest: string;
  files: readonly string[];
  hasFailed: boolean;
  /** How often: each try is another module, since imports that fail are remembered. */
  failureCount: number;
}

/** By URL without version, for the life of the process: a URL must not come back for another content. */
const states = new Map<string, ModuleState>();

/** Resolves with the files that it is made of. */
async function remember(base: URL, url: string, hasFailed: boolean): Promise<string[]> {
  const before = states.get(base.href);
  const read = filesOf(url);
  const files = read.length > 0 ? read : [fileURLToPath(base)];
  const failureCount = (before?.failureCount ?? 0) + (hasFailed ? 1 : 0);
  const digest = await digestOf(files, failureCount);
  states.set(base.href, { url, files, hasFailed, failureCount, digest });
  return files;
}

/** The URL for what the files of a module hold now. */
async function currentUrl(module: URL): Promise<string> {
  const base = new URL(module);
  base.search = "";
  const state = states.get(base.href);
  if (state === undefined) return versionedUrl(base.href, await digestOf([fileURLToPath(base)], 0));
  const digest = await digestOf(state.files, state.failureCount);
  return digest === state.digest && !state.hasFailed ? state.url : versionedUrl(base.href, digest);
}

async function digestOf(files: readonly string[], salt: number): Promise<string> {
  const digest = createHash("sha256").update(String(salt));
  for (const path of files) {
    const content = await readFile(path).catch(() => "");
    digest.update(`\0${path}\0`).update(content);
  }
  return digest.digest("hex").slice(0, 16);
}
