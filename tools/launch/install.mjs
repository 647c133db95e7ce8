/**
 * What every npm script of the repository runs first, with whatever Node the machine has: so
 * everything in this folder is plain JavaScript without dependencies, for Node 18 and newer.
 */
import { fileURLToPath } from "node:url";
import { installDependencies } from "./install-dependencies.mjs";
import { isNewEnough, linkPinnedNode, nodeMajorMin, pinnedNode } from "./pinned-node.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
try {
  await installDependencies(root);
  linkPinnedNode(root);
  if (pinnedNode(root) === undefined && !isNewEnough(process.versions.node)) {
    throw new Error(
      `no Node package for ${process.platform} ${process.arch} that runs here, and the machine's ` +
        `Node is ${process.versions.node}: install Node ${nodeMajorMin} or newer`,
    );
  }
} catch (error) {
  console.error(`gateward: ${error.message}`);
  process.exitCode = 1;
}
