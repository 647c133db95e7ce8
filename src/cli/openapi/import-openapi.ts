import { readFile, writeFile } from "node:fs/promises";
import { dirname, posix, relative, resolve } from "node:path";
import { yamlLibrary } from "../../base/yaml-library.ts";
import { checkContract } from "../../policies/validate/check-contract.ts";
import { OpenApiDocument } from "../../policies/validate/open-api-document.ts";
import { parseFile, preparedText } from "../../policies/validate/prepare-file.ts";
import { validateOptions } from "../../policies/validate/validate-options.ts";
import { Refusal } from "../../policy/values/refusal.ts";
import { EXIT_FAILURE, EXIT_MISTAKE, EXIT_OK } from "../exit-code.ts";
import { documentFor, type ImportedPolicy } from "./document-for.ts";

export interface ImportOptions {
  file: string;
  service: string | undefined;
  out: string;
  /** The working folder. */
  folder: string;
}

/** `gateward import openapi`: writes a configuration that passes `check`. */
export async function importOpenApi(options: ImportOptions): Promise<number> {
  const { file, folder, out, service } = options;
  const target = resolve(folder, out);
  const notes: string[] = [];
  let text: string;
  try {
    const files = await readAll(resolve(folder, file), dirname(target));
    const [main = ""] = files.keys();
    const document = OpenApiDocument.read(main, files);
    const policy = policyFor(files, notes);
    text = yamlLibrary().stringify(documentFor(document, { service, policy, notes }), {
      lineWidth: 0,
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(`gateward: ${error.message}${error.hint === undefined ? "" : `; ${error.hint}`}`);
    return EXIT_MISTAKE;
  }
  try {
    await writeFile(target, `# Made from ${file} by \`gateward import openapi\`.\n${text}`, {
      flag: "wx",
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === "EEXIST" ? "is there already; name another by --out" : `cannot be written (${code})`;
    console.error(`gateward: ${out} ${why}`);
    return EXIT_FAILURE;
  }
  for (const note of notes) console.error(`not carried over: ${note}`);
  console.log(`${out} is written. Next:`);
  console.log(`  gateward check --config ${out}`);
  return EXIT_OK;
}

const FILES_MAX = 1000;

/**
 * What the document and the files that it refers to hold, and they in turn, by paths relative to the
 * configuration, the document first. @throws Refusal
 */
async function readAll(file: string, from: string): Promise<Map<string, unknown>> {
  const contents = new Map<string, unknown>();
  const waiting = [relative(from, file).replaceAll("\\", "/")];
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    if (contents.has(path)) continue;
    if (contents.size === FILES_MAX)
      throw new Refusal(`the document refers to more than ${FILES_MAX} files`);
    const content = parseFile(await readOne(resolve(from, path), path), path);
    contents.set(path, content);
    for (const ref of refsIn(content)) waiting.push(posix.join(posix.dirname(path), ref));
  }
  return contents;
}

async function readOne(file: string, shown: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new Refusal(`${shown} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Files that `$ref` leads to. */
function* refsIn(value: unknown): Generator<string> {
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value)) {
    if (key !== "$ref" || typeof part !== "string") yield* refsIn(part);
    else if (!/^([a-z][a-z0-9+.-]*:|\/\/|#)/i.test(part))
      yield decodeURIComponent(part.split("#")[0]!);
  }
}

/** Undefined where the document has mistakes that would make `check` refuse the policy. */
function policyFor(
  contents: ReadonlyMap<string, unknown>,
  notes: string[],
): ImportedPolicy | undefined {
  const [openapi = "", ...files] = contents.keys();
  const policy: ImportedPolicy = { openapi, ...(files.length === 0 ? {} : { files }) };
  const options = validateOptions.parse(policy);
  const all = checkContract(options, (file) => preparedText(contents.get(file), file)).filter(
    (one) => one.isWarning !== true,
  );
  const patterns = all.filter(({ message }) => message.includes("cannot be tested in linear time"));
  for (const { message } of all) notes.push(message);
  if (all.length > patterns.length) {
    notes.push("the policy validate, because the document has mistakes");
    return undefined;
  }
  return patterns.length === 0 ? policy : { ...policy, patterns: "backtracking" };
}
