import { dirname, relative, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Config } from "./config.ts";
import type { PolicyDefinitions } from "./known-policies.ts";
import type { DocumentSource } from "./load/document-source.ts";
import { substituteEnvironment, type Environment } from "./load/env.ts";
import { hashPasswords } from "./load/hash-passwords.ts";
import { loadMaterials, type Materials } from "./load/materials.ts";
import { prepareFiles } from "./load/prepared-files.ts";
import { digestOf, parseDocument, readDocument } from "./load/read-source.ts";
import { haveChanged, loadUserPolicies, type UserPolicies } from "./load/user-policies.ts";
import { checkPolicyFiles } from "./rules/policy-files.ts";
import { formatPath, type Finding, type Mistake } from "./mistake.ts";
import { validateDocument } from "./validate-document.ts";
import { writtenPath } from "./validate.ts";

export interface LoadOptions {
  /** Absolute path of the document. */
  file: string;
  /** Default: `process.env`. */
  environment?: Environment;
  /** Mistakes name the file relative to this folder when it is below. Default: the working folder. */
  folder?: string;
  /**
   * What the same file gave before, in the same environment. It is the result again, without warnings, when
   * neither the document nor a PEM file has another content: checking ten thousand routes takes a second.
   */
  before?: LoadedConfig | undefined;
}

/** A configuration that can be served. */
export interface LoadedConfig {
  /** Absolute path of the document. */
  file: string;
  config: Config;
  /** Content of the files it names, as read. */
  materials: Materials;
  /** The same as workers are given it: see `prepareFiles`. */
  prepared: Materials;
  /** Of the document's content; undefined where that is not all there is to it. */
  digest?: string | undefined;
  /** Those that the document names, and perhaps others that come with the gateway. */
  policies: PolicyDefinitions;
  /** What the document names beside the policies that come with the gateway. */
  userPolicies?: UserPolicies | undefined;
}

export interface LoadResult {
  /** Undefined when there is any error. */
  loaded: LoadedConfig | undefined;
  /** In the order of the file, warnings too. */
  mistakes: Mistake[];
  /** Absolute paths of the document and all it imports: a change of any may change the result. */
  files: string[];
}

/**
 * Reads, checks and normalises a document, and what it names: PEM files, files of policies, policies of the
 * user's. Never throws for content.
 */
export async function loadConfig(options: LoadOptions): Promise<LoadResult> {
  const { file, environment = process.env, folder = process.cwd() } = options;
  const document = await readDocument(file);
  const isRead = document instanceof Uint8Array;
  const digest = isRead ? digestOf(file, document) : undefined;
  if (digest !== undefined && (await isUnchanged(options, digest))) {
    return { loaded: options.before, mistakes: [], files: [file] };
  }
  const source = isRead ? await parseDocument(file, document) : document;
  const files = [file, ...(source.imports ?? [])];
  if (source.mistakes.length > 0) {
    return { loaded: undefined, mistakes: sourceMistakes(source, file, folder), files };
  }
  const substituted = substituteEnvironment(source.data, environment);
  const users = await loadUserPolicies(substituted.data, file);
  const userPolicies = users.policies;
  files.push(...(userPolicies?.files ?? []));
  const { config, findings, policies } = await validateDocument(
    substituted.data,
    userPolicies?.definitions,
  );
  const early = [...substituted.findings, ...users.findings];
  const all = [...early, ...findings.filter(isNotUnder(early))];
  let materials: Materials = {};
  let prepared: Materials = {};
  if (config !== undefined) {
    const loaded = await loadMaterials(config, { folder: dirname(file), policies });
    materials = loaded.materials;
    // A policy of the user's may be another one than before, and make something else of the same text.
    const before = userPolicies === undefined ? options.before : undefined;
    const ready = prepareFiles(config, policies, materials, before);
    prepared = ready.prepared;
    loaded.findings.push(...ready.findings, ...checkPolicyFiles(config, policies, prepared));
    for (const one of loaded.findings) one.path = writtenPath(one.path, substituted.data);
    all.push(...loaded.findings);
  }
  const mistakes = all.map((one) => placed(one, source, shownFile(file, folder)));
  mistakes.sort((left, right) => left.line - right.line || left.column - right.column);
  const isRefused = config === undefined || mistakes.some(({ level }) => level === "error");
  if (isRefused) return { loaded: undefined, mistakes, files };
  return {
    loaded: {
      file,
      config: withAbsolutePaths(await hashPasswords(config), dirname(file)),
      materials,
      prepared,
      digest,
      policies,
      ...(userPolicies === undefined ? {} : { userPolicies }),
    },
    mistakes,
    files,
  };
}

async function isUnchanged({ before }: LoadOptions, digest: string): Promise<boolean> {
  if (before === undefined || before.digest !== digest) return false;
  const { userPolicies, config, file, policies } = before;
  if (userPolicies !== undefined && (await haveChanged(userPolicies))) return false;
  const { materials } = await loadMaterials(config, { folder: dirname(file), policies });
  return isDeepStrictEqual(materials, before.materials);
}

/** What a missing variable stands in for cannot be judged. */
function isNotUnder(known: readonly Finding[]): (finding: Finding) => boolean {
  return ({ path }) =>
    !known.some((one) => path.every((part, index) => one.path[index] === part) && path.length > 0);
}

/** Workers do not know the document's folder. */
function withAbsolutePaths(config: Config, folder: string): Config {
  const { log } = config;
  const data = resolve(folder, config.data);
  const { access } = log;
  if (access === false || access.file === null) return { ...config, data };
  const file = resolve(folder, access.file);
  return { ...config, data, log: { ...log, access: { ...access, file } } };
}

function placed(finding: Finding, source: DocumentSource, file: string): Mistake {
  const { level, path, message, hint, atKey = false } = finding;
  return { level, file, ...source.locate(path, atKey), path: formatPath(path), message, hint };
}

function sourceMistakes(source: DocumentSource, file: string, folder: string): Mistake[] {
  return source.mistakes.map((mistake) => {
    const { line, column, path = [], message, hint } = mistake;
    const where = shownFile(mistake.file ?? file, folder);
    return { level: "error", file: where, line, column, path: formatPath(path), message, hint };
  });
}

/** A file as messages name it: relative to the working folder when it is below, else absolute. */
export function shownFile(file: string, folder: string): string {
  const short = relative(folder, file);
  return short === "" || short.startsWith("..") ? file : short;
}
