/** Instance of a service and the port on 127.0.0.1 where gateward.yaml expects it. */
export const defaultPorts = {
  "users-1": 3001,
  "users-2": 3002,
  "products-1": 3003,
  "orders-1": 3004,
};

export type ServicePorts = Record<keyof typeof defaultPorts, number>;
