/**
 * problems-page: writes docs/reference/problems.md from the fault catalogue.
 * `node tools/problems-page.ts` rewrites the page; with `--check` it only says whether page and
 * catalogue differ, as its test does.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { faultTypes, problemTypeBase } from "../src/base/faults.ts";
import type { FaultType } from "../src/base/faults.ts";
import { malformedRequestCodes } from "../src/base/fault-catalogue.ts";

export const problemsPageFile = fileURLToPath(
  new URL("../docs/reference/problems.md", import.meta.url),
);

const intro = `# Problems

<!-- Generated from src/base/fault-catalogue.ts by tools/problems-page.ts; do not edit. -->

Every answer that Gateward makes itself, rather than passing on from a service, is
\`application/problem+json\` (RFC 9457):

\`\`\`json
{
  "type": "${problemTypeBase}no-route",
  "title": "No such route",
  "status": 404,
  "requestId": "01JC5Y6K3W4M8Q0T7B2N9F1XZD"
}
\`\`\`

\`type\` is a stable name made to be compared; nothing is served at that address. \`code\` and \`detail\`
are there when there is more to say. The last part of \`type\` is also the flag of the request in the
access log, so that an answer, a log line and this page can be laid side by side.

"Retry" says whether the same request may be sent again: **always**, because no service has seen it;
**idempotent**, because a service may have acted on it, so only GET, HEAD, OPTIONS, TRACE, PUT and
DELETE; **never**, because it would meet the same answer or part of a response has gone out.
`;

/** The whole page. */
export function problemsPage(): string {
  const groups = [
    ["The client's", "client"],
    ["The service's", "upstream"],
    ["The gateway's", "gateway"],
  ] as const;
  let page = intro;
  for (const [title, whose] of groups) {
    page += `\n## ${title}\n`;
    for (const type of Object.values(faultTypes)) {
      if (type.whose === whose) page += section(type);
    }
  }
  return page;
}

function section(type: FaultType): string {
  const facts = [
    type.logOnly ? `only in the access log, as ${type.status}` : `status ${type.status}`,
    `retry: ${type.retrySafe}`,
  ];
  if (type.closes && !type.logOnly) facts.push("the connection is closed after it");
  let text = `\n### ${type.name}\n\n**${type.title}** (${facts.join("; ")}).\n`;
  text += `${type.cause}\n${type.remedy}\n`;
  if (type === faultTypes["malformed-request"]) text += codeTable();
  return text;
}

function codeTable(): string {
  let table = "\n| code | meaning |\n| --- | --- |\n";
  for (const [code, meaning] of Object.entries(malformedRequestCodes)) {
    table += `| \`${code}\` | ${meaning} |\n`;
  }
  return table;
}

if (import.meta.main) {
  if (!process.argv.includes("--check")) writeFileSync(problemsPageFile, problemsPage());
  else if (readFileSync(problemsPageFile, "utf8") !== problemsPage()) {
    console.error("docs/reference/problems.md is stale: run npm run gen");
    process.exitCode = 1;
  }
}
