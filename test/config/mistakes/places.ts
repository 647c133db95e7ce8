import { defineGateway } from "gateward";

const users: unknown = { targets: ["http://127.0.0.1:3001"], blance: "random" };

export default defineGateway({
  listen: "8080x", // a comment: { "and": "more" }
  services: { users: users as string },
  routes: [
    { match: "GET /users/:id(\\d+)", service: "user" },
    ...["a", "b"].map((name) => ({ match: `/${name}`, service: name })),
  ],
});
