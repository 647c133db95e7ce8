import { mkdir, writeFile } from "node:fs/promises";
import { dirname, extname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { EXIT_FAILURE, EXIT_MISTAKE, EXIT_OK } from "./exit-code.ts";
import { jsonStarter, typescriptStarter, yamlStarter } from "./starter.ts";

export interface InitOptions {
  file: string;
  /** Overwrite. */
  force: boolean;
  /** The working folder. */
  folder: string;
}

/** `gateward init`: writes a document that passes `check`. */
export async function init({ file, force, folder }: InitOptions): Promise<number> {
  const target = resolve(folder, file);
  const text = starterFor(target);
  if (text === undefined) {
    console.error(`gateward: ${file} should end in .yaml, .json or .ts`);
    return EXIT_MISTAKE;
  }
  try {
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text, { flag: force ? "w" : "wx" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === "EEXIST" ? "is there already; --force overwrites it" : `cannot be written (${code})`;
    console.error(`gateward: ${file} ${why}`);
    return EXIT_FAILURE;
  }
  const option = /^gateward\.(yaml|yml|json|ts)$/.test(file) ? "" : ` --config ${file}`;
  console.log(`${file} is written. Next:`);
  console.log(`  gateward check${option}    finds mistakes`);
  console.log(`  gateward start${option}    serves it on http://localhost:8080`);
  return EXIT_OK;
}

function starterFor(target: string): string | undefined {
  switch (extname(target)) {
    case ".yaml":
    case ".yml":
      return yamlStarter(schemaFor(target));
    case ".json":
      return jsonStarter(schemaFor(target));
    case ".ts":
    case ".mts":
      return typescriptStarter();
    default:
      return undefined;
  }
}

/**
 * The way from a document to the JSON Schema, for editors. Undefined where the path would lead
 * through folders that other machines do not have.
 */
function schemaFor(target: string): string | undefined {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const schema = resolve(root, "docs/reference/gateward.schema.json");
  const path = relative(dirname(target), schema).replaceAll("\\", "/");
  const isInPackage = !relative(root, target).startsWith("..");
  if (path.startsWith("..")) return isInPackage ? path : undefined;
  return `./${path}`;
}
