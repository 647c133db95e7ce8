/** schema-library: the validator of JSON Schema, loaded when the first schema is compiled. */
import { createRequire } from "node:module";
import type { Ajv2020 } from "ajv/dist/2020.js";
import type { DataValidateFunction, ErrorObject, ValidateFunction } from "ajv/dist/types/index.js";
import type { Options } from "ajv";
import type { fullFormats as FullFormats } from "ajv-formats/dist/formats.js";

export type { DataValidateFunction, ErrorObject, Options, ValidateFunction };
export type SchemaEngine = Ajv2020;
export type Format = (typeof FullFormats)[keyof typeof FullFormats];

interface SchemaLibrary {
  /** For 2020-12. */
  readonly Ajv2020: typeof Ajv2020;
  readonly fullFormats: Readonly<Record<string, Format>>;
}

let library: SchemaLibrary | undefined;

/** Some 40 ms and 10 MB in every thread, which configurations that validate nothing should not pay. */
export function schemaLibrary(): SchemaLibrary {
  library ??= load();
  return library;
}

function load(): SchemaLibrary {
  const require = createRequire(import.meta.url);
  const { Ajv2020 } = require("ajv/dist/2020.js") as { Ajv2020: SchemaLibrary["Ajv2020"] };
  const { fullFormats } = require("ajv-formats/dist/formats.js") as {
    fullFormats: SchemaLibrary["fullFormats"];
  };
  return { Ajv2020, fullFormats };
}
