/** What users import to test policies and configurations: `import { testPolicy } from "gateward/testing"`. */
export { TestClock } from "./test-clock.ts";
