import type { Config, ConfigInput } from "../config/config.ts";
import type { PolicyDefinitions } from "../config/known-policies.ts";
import { substituteEnvironment } from "../config/load/env.ts";
import { hashPasswords } from "../config/load/hash-passwords.ts";
import { prepareFiles } from "../config/load/prepared-files.ts";
import type { Materials } from "../config/load/materials.ts";
import { formatPath, type Finding } from "../config/mistake.ts";
import { policyFiles } from "../config/policy-uses.ts";
import { checkPolicyFiles } from "../config/rules/policy-files.ts";
import { validate } from "../config/validate.ts";

/** A configuration as in a file: a document as data, or the text of one in YAML. */
export type TestDocument = ConfigInput | string;

/** A configuration that a gateway would refuse: the message has a line for each mistake. */
export class ConfigRefused extends Error {
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(`the configuration has mistakes:\n${mistakes.join("\n")}`);
    this.name = "ConfigRefused";
    this.mistakes = mistakes;
  }
}

export interface DocumentSurroundings {
  policies: PolicyDefinitions;
  /** Variables for `${NAME}`. */
  environment: Readonly<Record<string, string>>;
  /** Contents of files that the document names. */
  files: Readonly<Record<string, string>>;
}

/** A document, and its files as policies are given them. */
export interface ReadDocument {
  config: Config;
  prepared: Materials;
}

/** Checks and normalises a document as the gateway does. @throws ConfigRefused */
export async function readTestDocument(
  document: TestDocument,
  { policies, environment, files }: DocumentSurroundings,
): Promise<ReadDocument> {
  const data = await dataOf(document);
  const substituted = substituteEnvironment(data, environment);
  const { config, findings } = validate(substituted.data, policies);
  const errors = [...substituted.findings, ...findings].filter(({ level }) => level === "error");
  if (config === undefined || errors.length > 0) throw new ConfigRefused(errors.map(sentence));
  const missing = policyFiles(config, policies).filter(({ file }) => !Object.hasOwn(files, file));
  if (missing.length > 0) {
    throw new ConfigRefused(
      missing.map(({ file, path }) => `${formatPath(path)}: the test has no file ${file}`),
    );
  }
  const ready = prepareFiles(config, policies, { ...files });
  const { prepared } = ready;
  const inFiles = [
    ...ready.findings,
    ...checkPolicyFiles(config, policies, prepared).filter(({ level }) => level === "error"),
  ];
  if (inFiles.length > 0) throw new ConfigRefused(inFiles.map(sentence));
  // Nothing listens: requests come from the test.
  return { config: { ...(await hashPasswords(config)), listen: [], admin: false }, prepared };
}

async function dataOf(document: TestDocument): Promise<unknown> {
  if (typeof document !== "string") return structuredClone(document);
  const { readYaml } = await import("../config/load/yaml-source.ts");
  const { data, mistakes } = readYaml(document);
  if (mistakes.length === 0) return data;
  throw new ConfigRefused(mistakes.map(({ line, message }) => `line ${line}: ${message}`));
}

function sentence({ path, message, hint }: Finding): string {
  return `${formatPath(path)}: ${message}${hint === undefined || hint === "" ? "" : `; ${hint}`}`;
}
