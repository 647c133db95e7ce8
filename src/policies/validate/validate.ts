/**
 * validate: holds requests, and responses if they are to be, against an OpenAPI document or JSON Schemas.
 */
import { definePolicy } from "../../policy/policy.ts";
import { checkContract } from "./check-contract.ts";
import { makeContract, type Contract } from "./contract.ts";
import { prepareFile } from "./prepare-file.ts";
import { keepFiles } from "./read-files.ts";
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
  prepareFile,
  checkFiles: checkContract,

  compile(options, environment) {
    const { contents, digests } = keepFiles(filesOf(options), environment);
    // What has been compiled stays with the content: a reload for another reason costs nothing.
    const { contract } = environment.keep<{ contract: Contract } & Partial<Disposable>>(
      JSON.stringify([options, digests]),
      () => ({ contract: makeContract(options, contents) }),
    );
    const validator = new Validator(contract, options, environment);
    return {
      onRequest: (exchange) => validator.onRequest(exchange),
      ...(options.responses ? { onResponse: (exchange) => validator.onResponse(exchange) } : {}),
    };
  },
});
