/** `schema` is the path of the JSON Schema from the document, if it has one. */
export function yamlStarter(schema: string | undefined): string {
  const modeline = schema === undefined ? "" : `# yaml-language-server: $schema=${schema}\n`;
  return `${modeline}# Gateward's configuration. \`gateward check\` finds mistakes, \`gateward start\` serves it, and a
# change of this file is taken over while serving.

# Where clients connect. With TLS:
#   listen:
#     port: 8443
#     tls: { cert: server.pem, key: server-key.pem }
listen: 8080

# Metrics, health checks and the admin API, for this machine only. \`false\` switches them off.
admin: 9090

# A line for each request: true (standard output) or the path of a file.
log:
  access: false

# Proxies in front of the gateway, believed when they say who the client is.
# trustedProxies: [10.0.0.0/8]

# The services behind the gateway. \${NAME} and \${NAME:-default} are environment variables.
services:
  users: \${USERS_URL:-http://127.0.0.1:3001}

  orders:
    targets:
      - http://127.0.0.1:3002
      - { url: http://127.0.0.1:3003, weight: 2 } # gets twice as much
    balance: least-requests
    timeout: { connect: 1s, response: 10s }

# Which request goes where. The most specific route wins, wherever it stands.
routes:
  - match: GET /api/v1/users/:id # one segment, here called id
    service: users

  - match:
      path: /api/v1/orders/* # everything below
      methods: [GET, POST]
      # hosts: [api.example.com, "*.example.org"]
      # headers: { x-channel: mobile }
    service: orders
    rewrite: /orders/* # the path the service sees

  - match: /
    respond: { body: "Gateward is running.\\n" }
`;
}

/** JSON has no comments, so this is the shortest document that does something. */
export function jsonStarter(schema: string | undefined): string {
  const document = {
    ...(schema === undefined ? {} : { $schema: schema }),
    listen: 8080,
    services: {
      users: "${USERS_URL:-http://127.0.0.1:3001}",
      orders: { targets: ["http://127.0.0.1:3002", "http://127.0.0.1:3003"] },
    },
    routes: [
      { match: "GET /api/v1/users/:id", service: "users" },
      { match: "/api/v1/orders/*", service: "orders", rewrite: "/orders/*" },
      { match: "/", respond: { body: "Gateward is running.\n" } },
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The document as a module that the compiler checks. */
export function typescriptStarter(): string {
  return `import { defineGateway } from "gateward";

// Gateward's configuration. \`gateward check\` finds mistakes, \`gateward start\` serves it.
export default defineGateway({
  // Where clients connect.
  listen: 8080,
  // Metrics, health checks and the admin API, for this machine only.
  admin: 9090,
  services: {
    users: process.env.USERS_URL ?? "http://127.0.0.1:3001",
    orders: {
      targets: ["http://127.0.0.1:3002", { url: "http://127.0.0.1:3003", weight: 2 }],
      balance: "least-requests",
      timeout: { connect: "1s", response: "10s" },
    },
  },
  // Which request goes where. The most specific route wins, wherever it stands.
  routes: [
    { match: "GET /api/v1/users/:id", service: "users" },
    { match: "/api/v1/orders/*", service: "orders", rewrite: "/orders/*" },
    { match: "/", respond: { body: "Gateward is running.\\n" } },
  ],
});
`;
}
