/** JSON as services answer it: an order of some items, of about so many bytes. */
export function orderOf(bytesLeast: number): string {
  const items: object[] = [];
  const text = (): string => JSON.stringify({ ...ORDER, items });
  // Each item adds as many bytes as the others, within one or two.
  const itemCount = Math.ceil(
    (bytesLeast - text().length) / (JSON.stringify(item(100)).length + 1),
  );
  for (let number = 0; number < itemCount; number++) items.push(item(number));
  return text();
}

const ORDER = {
  id: "7d1f0a52-9c3e-4b8a-b0c4-1f6f2f0f5b11",
  ts: "2026-11-21T10:15:30Z",
  status: "paid",
  customer: {
    id: 48_213,
    name: "Ada Lovelace",
    email: "ada@example.com",
    password: "correct horse battery staple",
    card: { number: "4242424242424242", expires: "2030-01" },
  },
};

function item(number: number): object {
  return {
    sku: `A-${10_000 + number}`,
    title: "A thing that somebody has ordered",
    quantity: 1 + (number % 5),
    price: 19.5,
    taxRate: 0.19,
    internal: { warehouse: "north-4", cost: 7.25 },
    tags: ["new", "sale"],
  };
}

/** JSON Schema of such an order, as a contract would have it. */
export const orderSchema = {
  type: "object",
  required: ["id", "ts", "status", "customer", "items"],
  properties: {
    id: { type: "string", format: "uuid" },
    ts: { type: "string", format: "date-time" },
    status: { type: "string", enum: ["open", "paid", "sent"] },
    customer: {
      type: "object",
      required: ["id", "email"],
      properties: {
        id: { type: "integer", minimum: 1 },
        name: { type: "string", maxLength: 200 },
        email: { type: "string", format: "email" },
        password: { type: "string" },
        card: {
          type: "object",
          properties: {
            number: { type: "string", pattern: "^[0-9]{12,19}$" },
            expires: { type: "string" },
          },
        },
      },
    },
    items: {
      type: "array",
      minItems: 1,
      maxItems: 1000,
      items: {
        type: "object",
        required: ["sku", "quantity", "price"],
        properties: {
          sku: { type: "string", pattern: "^[A-Z]-[0-9]+$" },
          title: { type: "string", maxLength: 200 },
          quantity: { type: "integer", minimum: 1, maximum: 1000 },
          price: { type: "number", minimum: 0 },
          taxRate: { type: "number", minimum: 0, maximum: 1 },
          internal: { type: "object" },
          tags: { type: "array", items: { type: "string" } },
        },
        additionalProperties: false,
      },
    },
  },
  additionalProperties: false,
};
