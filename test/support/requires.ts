import { commandPath } from "./command-path.ts";
import { debianPackages } from "./debian-packages.ts";

/**
 * For the `skip` option of a test that starts commands of the machine:
 *
 *     test("nginx: answers through the gateway", { skip: requires("nginx") }, ...)
 *
 * @returns false when all are installed, else the reason that the report shows
 */
export function requires(...commands: string[]): false | string {
  const missing = commands.filter((name) => commandPath(name) === undefined);
  return missing.length > 0 && `needs ${missing.map(describe).join(" and ")}`;
}

function describe(command: string): string {
  const source = debianPackages.find((one) => one.commands.includes(command));
  return source === undefined ? command : `${command} (Debian package ${source.package})`;
}
