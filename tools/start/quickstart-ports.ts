import { defaultPorts } from "../../examples/quickstart/ports.ts";
import type { ServicePorts } from "../../examples/quickstart/ports.ts";
import { freePort } from "./free-port.ts";

export interface QuickstartPorts {
  readonly gateway: number;
  readonly admin: number;
  readonly services: ServicePorts;
}

/** What examples/quickstart/gateward.yaml says. */
export const quickstartPorts: QuickstartPorts = {
  gateway: 8080,
  admin: 9090,
  services: defaultPorts,
};

/** The ports the quickstart will have: its own, with a free one in place of each that is taken. */
export async function availablePorts(): Promise<QuickstartPorts> {
  const services = { ...defaultPorts };
  for (const name of Object.keys(services) as (keyof ServicePorts)[]) {
    services[name] = await freePort(services[name], "127.0.0.1");
  }
  return {
    gateway: await freePort(quickstartPorts.gateway, "0.0.0.0"),
    admin: await freePort(quickstartPorts.admin, "127.0.0.1"),
    services,
  };
}

/** Pairs of a port that is taken and the one that stands in for it. */
export function changedPorts(ports: QuickstartPorts): [number, number][] {
  const numbers = ({ gateway, admin, services }: QuickstartPorts) => [
    gateway,
    admin,
    ...Object.values(services),
  ];
  const now = numbers(ports);
  return numbers(quickstartPorts)
    .map((port, index): [number, number] => [port, now[index] ?? port])
    .filter(([wanted, got]) => wanted !== got);
}

/** The text of the config file with the ports changed, wherever one stands as a whole number. */
export function replacePorts(config: string, changed: readonly [number, number][]): string {
  return config.replace(/(?<=[: ])\d+\b/g, (digits) => {
    const pair = changed.find(([wanted]) => String(wanted) === digits);
    return String(pair?.[1] ?? digits);
  });
}
