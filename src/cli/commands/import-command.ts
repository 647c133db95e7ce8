import { type CommandSpec, valueOf } from "../command.ts";

const openApiCommand: CommandSpec = {
  name: "openapi",
  summary: "write a configuration for an OpenAPI 3.0 or 3.1 document",
  argument: { form: "<file>", summary: "the document, YAML or JSON" },
  options: [
    {
      flags: "--service <url>",
      summary: "where the service is (default: the document's first server)",
    },
    { flags: "--out <file>", summary: "where to write it", default: "gateward.yaml" },
  ],
  details: `
A route for each path with its methods, a service, and the policy validate, which holds requests against
the document. What cannot be carried over is printed. A file that is there already is never overwritten.

Examples:
  gateward import openapi api.yaml
  gateward import openapi api.yaml --service http://127.0.0.1:3000 --out petstore.yaml

Exit codes: 0 written, 1 the file is there already or cannot be written, 2 the document has mistakes`,
  async run(invocation) {
    const { importOpenApi } = await import("../openapi/import-openapi.ts");
    return importOpenApi({
      file: invocation.argument!,
      service: valueOf(invocation, "service"),
      out: valueOf(invocation, "out") ?? "gateward.yaml",
      folder: process.cwd(),
    });
  },
};

export const importCommand: CommandSpec = {
  name: "import",
  summary: "write a configuration from a description of an API",
  options: [],
  commands: [openApiCommand],
  details: "",
};
