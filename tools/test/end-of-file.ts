/**
 * Loaded before each test file (see tools/run-tests.ts). A file that has run its tests and left a
 * server, a socket or a timer open keeps its process, and so the whole run, waiting: after a few
 * seconds it fails instead, and names the kind of what is open.
 */
import { after } from "node:test";

/** Time for what closes by itself: a kept-alive connection, a worker that ends. */
const graceMs = 10_000;

if (process.env["NODE_TEST_CONTEXT"] !== undefined) {
  after(() => {
    setTimeout(() => {
      const open = process.getActiveResourcesInfo().join(", ");
      console.error(`${process.argv[1]}: tests are over, but these are still open: ${open}`);
      process.exit(1);
    }, graceMs).unref();
  });
}
