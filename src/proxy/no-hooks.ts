import type { CompiledHooks } from "./snapshot.ts";

export const NO_HOOKS: CompiledHooks = {
  onPreflight: [],
  onRequest: [],
  outward: [],
  outwardEnd: [],
  onResponse: [],
  onEnd: [],
  standbys: [],
};
