/**
 * The services behind the quickstart gateway, in one process: two instances of users, products and
 * orders. Run it alone (`node services.ts`) to try a gateway of your own before them; `npm start`
 * runs it as a child, and then it ends when its parent does, in whatever way.
 */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { defaultPorts } from "./ports.ts";
import type { ServicePorts } from "./ports.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

interface Order {
  id: number;
  [field: string]: unknown;
}

const orders: Order[] = [];

const ports: ServicePorts = { ...defaultPorts, ...JSON.parse(process.argv[2] ?? "{}") };
await Promise.all([
  serve("users-1", ports["users-1"], answerUser),
  serve("users-2", ports["users-2"], answerUser),
  serve("products-1", ports["products-1"], answerProduct),
  serve("orders-1", ports["orders-1"], answerOrder),
]);

if (process.send === undefined) {
  console.log(`services on ports ${Object.values(ports).join(", ")}; Ctrl-C ends them`);
} else {
  // Ctrl-C goes to parent and child alike: stay until the parent has finished what is in flight.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
  process.on("disconnect", () => process.exit(0));
  process.send("ready");
}

/** Starts one instance; its name is in each of its responses, as `x-instance`. */
function serve(instance: string, port: number, answer: Answer): Promise<void> {
  const server = createServer((request, response) => {
    response.setHeader("x-instance", instance);
    Promise.resolve(answer(request, response)).catch((error: unknown) => {
      sendJson(response, 500, { error: String(error) });
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
}

function answerUser(request: IncomingMessage, response: ServerResponse): void {
  const id = /^\/users\/([^/?]+)/.exec(request.url ?? "")?.[1];
  if (id === undefined) return sendJson(response, 404, { error: "no such user" });
  sendJson(response, 200, { id, name: `User ${id}`, plan: "free" });
}

function answerProduct(request: IncomingMessage, response: ServerResponse): void {
  const id = /^\/products\/([^/?]+)/.exec(request.url ?? "")?.[1];
  if (id === undefined) return sendJson(response, 404, { error: "no such product" });
  sendJson(response, 200, { id, title: `Product ${id}`, price: { amount: 1999, currency: "EUR" } });
}

async function answerOrder(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const id = /^\/orders\/(\d+)/.exec(request.url ?? "")?.[1];
  if (request.method === "POST") {
    const order = readOrder(await text(request));
    if (order === undefined) return sendJson(response, 400, { error: "send a JSON object" });
    response.setHeader("location", `/api/v1/orders/${order.id}`);
    return sendJson(response, 201, order);
  }
  if (id === undefined) return sendJson(response, 200, orders);
  const order = orders[Number(id) - 1];
  if (order === undefined) return sendJson(response, 404, { error: `no order ${id}` });
  sendJson(response, 200, order);
}

/** Keeps the order under the next number; undefined when it is not a JSON object. */
function readOrder(body: string): Order | undefined {
  try {
    const fields: unknown = JSON.parse(body);
    if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return undefined;
    const order = { ...fields, id: orders.length + 1 };
    orders.push(order);
    return order;
  } catch {
    return undefined;
  }
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = `${JSON.stringify(value)}\n`;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}
