/**
 * Names of the locked packages that are not installed, or not at the locked version.
 *
 * Compares package-lock.json with node_modules/.package-lock.json, which npm writes last, when an
 * install has succeeded: a broken-off install leaves none, so everything counts as missing. Costs
 * two JSON.parse of about 30 kB; no network, no walk through node_modules.
 *
 * @param {{ packages?: Record<string, any> }} locked the parsed package-lock.json
 * @param {{ packages?: Record<string, any> } | undefined} installed npm's record, if there is one
 * @param {{ os: string, cpu: string }} platform `process.platform` and `process.arch`
 * @returns {string[]} folders such as `node_modules/zod`
 */
export function missingPackages(locked, installed, platform) {
  const have = installed?.packages ?? {};
  const missing = [];
  for (const [folder, entry] of Object.entries(locked.packages ?? {})) {
    if (folder === "" || entry.link) continue;
    const found = have[folder];
    if (found === undefined) {
      if (!mayBeAbsent(entry, platform)) missing.push(folder);
    } else if (!isSame(found, entry)) {
      missing.push(folder);
    }
  }
  return missing;
}

/** The lock may lack the integrity of packages for other platforms; npm's record then has it. */
function isSame(found, entry) {
  const comparable = entry.integrity !== undefined && found.integrity !== undefined;
  if (comparable && found.integrity !== entry.integrity) return false;
  return found.version === entry.version;
}

/** npm leaves out optional packages made for another platform. */
function mayBeAbsent(entry, platform) {
  if (!entry.optional) return false;
  // Which libc runs cannot be asked cheaply, and npm chooses right: believe it.
  if (entry.libc !== undefined) return true;
  return !allows(entry.os, platform.os) || !allows(entry.cpu, platform.cpu);
}

/** The `os` and `cpu` fields: a name or a list; `!name` excludes; nothing means any. */
function allows(field, name) {
  if (field === undefined) return true;
  const names = Array.isArray(field) ? field : [field];
  if (names.includes(`!${name}`)) return false;
  const wanted = names.filter((one) => !one.startsWith("!"));
  return wanted.length === 0 || wanted.includes(name) || wanted.includes("any");
}
