/**
 * policy-modules: modules with policies of the user's. They are trusted code that runs inside the gateway, on
 * the main thread and in each worker.
 *
 *     ./geo.ts?gateward=VERSION  ->  ./cities.ts?gateward=VERSION     files of the user's: one version, all new
 *                                ->  gateward                         the running gateway, not another copy
 *                                ->  undici                           as installed, once for the process
 */
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import type { PolicyDefinition } from "../../policy/policy.ts";
import type { PolicyDefinitions } from "../known-policies.ts";

/** What users import by the package's name is the running gateway, wherever their file lies. */
export const libraries: Readonly<Record<string, string>> = {
  gateward: import.meta.resolve("gateward"),
  "gateward/testing": import.meta.resolve("gateward/testing"),
};

/** Parameter of a module's URL that makes it another module once its content has changed. */
const VERSION = "gateward";
/** Stands before the name of a package, and the module that asks for it, where only its URL is wanted. */
const FROM = "gateward-from:";
/** A module may fetch something while it loads, but not for ever. */
const LOAD_MS_MAX = 30_000;

/** By version: paths of the files that were read. */
const filesRead = new Map<string, Set<string>>();
let isHooked = false;

/** URL of the module that a package's name stands for in a file. @throws Error of Node's when there is none */
export function packageUrl(name: string, fromUrl: string): string {
  hookModules();
  return import.meta.resolve(FROM + encodeURIComponent(JSON.stringify([name, fromUrl])));
}

/** @param version tells contents of the module, and of what it imports by path, apart */
export function versionedUrl(url: string, version: string): string {
  const versioned = new URL(url);
  versioned.searchParams.set(VERSION, version);
  return versioned.href;
}

/** The exports of a module of the user's. @throws whatever it throws, and when it takes too long */
export async function importPolicyModule(url: string): Promise<Record<string, unknown>> {
  hookModules();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`it has not loaded within ${LOAD_MS_MAX / 1000} s`));
  }, LOAD_MS_MAX);
  try {
    return (await Promise.race([import(url), late.promise])) as Record<string, unknown>;
  } finally {
    clearTimeout(timer);
  }
}

/** The policies of modules that the main thread has looked at, by their names in the document. */
export async function importPolicies(
  modules: Readonly<Record<string, string>>,
): Promise<PolicyDefinitions> {
  const entries = Object.entries(modules).map(async ([name, url]) => {
    const module = await importPolicyModule(url);
    return [name, module["default"] as PolicyDefinition] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Absolute paths of the files that a module was made of when it was loaded, without installed packages. */
export function filesOf(url: string): string[] {
  return [...(filesRead.get(versionOf(url) ?? "") ?? [])];
}

/** Once, and only where there are such policies: every import of the process passes here from then on. */
function hookModules(): void {
  if (isHooked) return;
  isHooked = true;
  registerHooks({
    resolve(specifier, context, next) {
      const library = libraries[specifier];
      if (library !== undefined) return { url: library, shortCircuit: true };
      if (specifier.startsWith(FROM)) {
        const asked = decodeURIComponent(specifier.slice(FROM.length));
        const [name, parentURL] = JSON.parse(asked) as [string, string];
        return next(name, { ...context, parentURL });
      }
      const resolved = next(specifier, context);
      const version = versionOf(context.parentURL);
      if (version === undefined || !/^(\.{1,2}\/|\/|file:)/.test(specifier)) return resolved;
      return { ...resolved, url: versionedUrl(resolved.url, version) };
    },
    load(url, context, next) {
      const version = versionOf(url);
      if (version !== undefined) noteFile(version, url);
      return next(url, context);
    },
  });
}

function noteFile(version: string, url: string): void {
  const files = filesRead.get(version) ?? new Set();
  filesRead.set(version, files.add(fileURLToPath(url)));
}

function versionOf(url: string | undefined): string | undefined {
  if (url === undefined || !url.includes(VERSION) || !url.startsWith("file:")) return undefined;
  return new URL(url).searchParams.get(VERSION) ?? undefined;
}
