import { spawn } from "node:child_process";

/**
 * Runs `npm ci` in `root`, with what a shell, a CI or an outer npm may have set switched back: the
 * development packages are wanted under NODE_ENV=production too.
 *
 * @param {string} root
 * @returns {Promise<{ code: number, output: string }>} npm's exit code and all it printed
 */
export function npmCi(root) {
  const { command, before } = npmCommand();
  const options = ["ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund"];
  const args = [...before, ...options, "--no-progress", "--engine-strict=false"];
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      // npm is a .cmd file on Windows, which only a shell can start.
      shell: command === "npm" && process.platform === "win32",
    });
    let output = "";
    child.stdout.on("data", (text) => (output += text));
    child.stderr.on("data", (text) => (output += text));
    child.on("error", (error) =>
      resolve({ code: 127, output: `cannot run npm: ${error.message}\n` }),
    );
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

/**
 * The npm that runs this script, with the Node that runs that npm: the Node of this process may be
 * the pinned one in node_modules, which `npm ci` is about to delete.
 */
function npmCommand() {
  const { npm_execpath: cli, npm_node_execpath: node } = process.env;
  if (cli !== undefined && /npm-cli\.c?js$/.test(cli)) {
    return { command: node ?? process.execPath, before: [cli] };
  }
  return { command: "npm", before: [] };
}
