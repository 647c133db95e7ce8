/**
 * validate: holds requests, and responses if they are to be, against an OpenAPI document or JSON Schemas.
 */
import { createHash } from "node:crypto";
import { definePolicy } from "../../policy/policy.ts";
import { checkContract } from "./check-contract.ts";
import { makeContract, type Contract } from "./contract.ts";
import { faultTypesOfValidate } from "./validate-faults.ts";
import { checkOptions, filesOf, validateOptions } from "./validate-options.ts";
import { results, Validator } from "./validator.ts";

export default definePolicy({
  name: "validate",
  summary: "Refuses requests that do not fit an OpenAPI document or JSON Schemas.",
  schema: validateOptions.prefault({}),
  results,
  faults: faultTypesOfValidate,
  check: checkOptions,
  files: filesOf,
  checkFiles: checkContract,

  compile(options, environment) {
    const hash = createHash("sha256").update(JSON.stringify(options));
    for (const file of filesOf(options)) hash.update(`\n${file}\n`).update(environment.file(file));
    // What has been compiled stays with the content: a reload for another reason costs nothing.
    const { contract } = environment.keep<{ contract: Contract } & Partial<Disposable>>(
      hash.digest("base64"),
      () => ({ contract: makeContract(options, (file) => environment.file(file)) }),
    );
    const validator = new Validator(contract, options, environment);
    return {
      onRequest: (exchange) => validator.onRequest(exchange),
      ...(options.responses ? { onResponse: (exchange) => validator.onResponse(exchange) } : {}),
    };
  },
});
