/** The whole way in memory: users' tests of what they configure fake the asked service like any other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { testGateway } from "../../testing/test-gateway.ts";

test("forward-auth: in the test kit the asked service is a function like the others", async () => {
  await using gateway = await testGateway(
    {
      services: { auth: "http://auth.test", users: "http://users.test" },
      routes: [
        {
          name: "users",
          match: "/*",
          service: "users",
          policies: [
            { cors: { origins: "https://app.example.com" } },
            { "forward-auth": { service: "auth", upstreamHeaders: "x-user" } },
          ],
        },
      ],
    },
    {
      services: {
        auth: ({ headers }) =>
          headers["authorization"] === "good"
            ? { status: 200, headers: { "x-user": "ann" } }
            : { status: 401, body: "who?" },
        users: ({ headers }) => ({ status: 200, body: { user: headers["x-user"] } }),
      },
    },
  );
  const fine = await gateway.request({ path: "/a", headers: { authorization: "good" } });
  assert.deepEqual([fine.status, JSON.parse(fine.body)], [200, { user: "ann" }]);
  assert.equal(gateway.callsTo("auth")[0]!.headers["x-forwarded-uri"], "/a");
  const refused = await gateway.request({ path: "/a" });
  assert.deepEqual([refused.status, refused.body], [401, "who?"]);
  const asked = gateway.callsTo("auth").length;
  const preflight = await gateway.request({
    method: "OPTIONS",
    path: "/a",
    headers: { origin: "https://app.example.com", "access-control-request-method": "PUT" },
  });
  assert.equal(preflight.status, 204);
  assert.equal(gateway.callsTo("auth").length, asked);
});
