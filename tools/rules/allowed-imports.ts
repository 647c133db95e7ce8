/**
 * Which folder of src may import which: the arrows of ARCHITECTURE.md as data. What is not listed is
 * forbidden; a folder may always import itself. The arrows point at the hot code: `wire` knows no
 * policies, `proxy` knows the policy contract but never a concrete policy, and only `config` sees
 * the generated index of policies.
 */
export const allowedImports: Readonly<Record<string, readonly string[]>> = {
  base: [],
  wire: ["base"],
  // routing: patterns of options are of the same linear kind as those of routes.
  policy: ["base", "wire", "routing"],
  // A policy sees the contract and its own folder, never another policy. The values that options are
  // made of (durations, sizes, ranges) are part of the contract: policy/values; config takes them from there.
  policies: ["base", "policy"],
  routing: ["base"],
  upstream: ["base", "wire"],
  discovery: ["base"],
  compose: ["base", "wire", "policy", "upstream"],
  translate: ["base", "wire", "policy"],
  stores: ["base", "policy"],
  proxy: ["base", "wire", "policy", "routing", "upstream"],
  // index.ts: a document in TypeScript imports the package by its name, and gets the running one.
  config: ["base", "policy", "policies", "routing", "upstream", "proxy", "index.ts"],
  // upstream: runtime owns the pools and the state of targets, which outlive a snapshot.
  runtime: ["base", "wire", "policy", "upstream", "proxy", "config", "discovery", "stores"],
  // The test kit: a worker's data plane in memory, with functions in place of sockets.
  testing: [
    "base",
    "wire",
    "policy",
    "policies",
    "routing",
    "upstream",
    "proxy",
    "config",
    "runtime",
    "stores",
    "index.ts",
  ],
  // policy: how a cache names what it keeps.
  admin: ["base", "policy", "config", "runtime"],
  cli: [
    "base",
    "config",
    "runtime",
    "admin",
    "discovery",
    "policy",
    "policies",
    "routing",
    "stores",
  ],
};

/**
 * Packages that src may import, and the one file that does: a swap touches one place. `"everywhere"`
 * is for a package that has no place to hide behind.
 */
export const dependencyAdapters: Readonly<Record<string, string>> = {
  "@redis/client": "src/stores/redis/open-link.ts",
  "@bufbuild/cel": "src/policy/expressions/cel-library.ts",
  ajv: "src/policies/validate/schema-library.ts",
  "ajv-formats": "src/policies/validate/schema-library.ts",
  commander: "src/cli/program.ts",
  jose: "src/testing/test-issuer.ts",
  "openid-client": "src/policies/oidc/openid-provider.ts",
  isbot: "src/policies/bot-filter/looks-automated.ts",
  saxes: "src/policies/body/formats/xml-parser.ts",
  jsonata: "src/policies/body/programs/jsonata-library.ts",
  pino: "src/base/log/create-log.ts",
  yaml: "src/base/yaml-library.ts",
  "structured-headers": "src/policies/http-signature/structured-fields.ts",
  // Schemas are written in it, beside what they describe.
  zod: "everywhere",
};
