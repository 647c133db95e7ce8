import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../test/support/fast-check.ts";
import { crc32c } from "../base/crc32c.ts";
import {
  PROXY_INCOMPLETE,
  PROXY_MALFORMED,
  ProxyHeader,
  parseProxyHeader,
  proxyHeaderBytesMax,
} from "./proxy-protocol.ts";

const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

function parse(bytes: Uint8Array) {
  const header = new ProxyHeader();
  const result = parseProxyHeader(bytes, 0, bytes.length, header);
  return { result, header: Object.assign({}, header) };
}

function line(text: string): Buffer {
  return Buffer.from(`${text}\r\n`, "latin1");
}

function binary(
  command: number,
  family: number,
  payload: Uint8Array,
  length = payload.length,
): Buffer {
  const fixed = Buffer.from([command, family, length >> 8, length & 0xff]);
  return Buffer.concat([signature, fixed, payload]);
}

function field(type: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);
}

const ipv4 = Buffer.from([192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 0x04, 0x01, 0xbb]);
const ipv6 = Buffer.concat([
  Buffer.from("20010db8000000000000000000000001", "hex"),
  Buffer.from("00000000000000000000ffffc6336402", "hex"),
  Buffer.from([0xdc, 0x04, 0x01, 0xbb]),
]);

const ipv4Facts = {
  isLocal: false,
  sourceAddress: "192.0.2.1",
  sourcePort: 56_324,
  destinationAddress: "198.51.100.2",
  destinationPort: 443,
  isTls: false,
};
const nothing = {
  isLocal: true,
  sourceAddress: "",
  sourcePort: 0,
  destinationAddress: "",
  destinationPort: 0,
  isTls: false,
};

/** A header with a checksum that fits. */
function checksummed(): Buffer {
  const payload = Buffer.concat([ipv4, field(3, Buffer.alloc(4)), field(2, Buffer.from("a.test"))]);
  const bytes = binary(0x21, 0x11, payload);
  bytes.writeUInt32BE(crc32c(bytes, 0, bytes.length), 16 + 12 + 3);
  return bytes;
}

const valid: [string, Buffer, object][] = [
  ["v1 TCP4", line("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443"), ipv4Facts],
  [
    "v1 TCP6",
    line("PROXY TCP6 2001:DB8::1 ::ffff:198.51.100.2 56324 443"),
    { ...ipv4Facts, sourceAddress: "2001:db8::1" },
  ],
  ["v1 UNKNOWN", line("PROXY UNKNOWN"), nothing],
  ["v1 UNKNOWN with more", line(`PROXY UNKNOWN ${"f".repeat(91)}`), nothing],
  ["v2 IPv4", binary(0x21, 0x11, ipv4), ipv4Facts],
  ["v2 IPv6", binary(0x21, 0x21, ipv6), { ...ipv4Facts, sourceAddress: "2001:db8::1" }],
  ["v2 Unix", binary(0x21, 0x31, Buffer.alloc(216, 0x61)), { ...nothing, isLocal: false }],
  ["v2 LOCAL", binary(0x20, 0x00, Buffer.alloc(0)), nothing],
  ["v2 LOCAL with addresses", binary(0x20, 0x11, ipv4), nothing],
  ["v2 LOCAL without the addresses it announces", binary(0x20, 0x11, Buffer.alloc(0)), nothing],
  ["v2 unspecified", binary(0x21, 0x00, Buffer.from("whatever")), nothing],
  [
    "v2 with fields",
    binary(0x21, 0x11, Buffer.concat([ipv4, field(1, Buffer.from("h2"))])),
    ipv4Facts,
  ],
  [
    "v2 TLS at the balancer",
    binary(0x21, 0x11, Buffer.concat([ipv4, field(0x20, Buffer.from([1, 0, 0, 0, 0]))])),
    { ...ipv4Facts, isTls: true },
  ],
  ["v2 checksum", checksummed(), ipv4Facts],
  [
    "v2 as long as allowed",
    binary(0x21, 0x11, Buffer.concat([ipv4, field(4, Buffer.alloc(2048 - 12 - 3))])),
    ipv4Facts,
  ],
];

for (const [name, bytes, facts] of valid) {
  test(`proxy protocol: ${name}`, () => {
    assert.deepEqual(parse(bytes), { result: bytes.length, header: facts });
  });

  test(`proxy protocol: ${name}, cut at every byte and followed by others`, () => {
    for (let end = 0; end < bytes.length; end++) {
      assert.equal(parse(bytes.subarray(0, end)).result, PROXY_INCOMPLETE, String(end));
    }
    const followed = Buffer.concat([Buffer.from("xyz"), bytes, Buffer.from("GET / HTTP/1.1\r\n")]);
    const header = new ProxyHeader();
    const result = parseProxyHeader(followed, 3, followed.length, header);
    assert.equal(result, 3 + bytes.length);
    assert.deepEqual(Object.assign({}, header), facts);
  });
}

const malformed: [string, Buffer][] = [
  ["a request", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
  ["a POST, which begins like PROXY", Buffer.from("POST / HTTP/1.1\r\n\r\n")],
  ["v1 lower case", line("proxy TCP4 192.0.2.1 198.51.100.2 56324 443")],
  ["v1 bare LF", Buffer.from("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n")],
  ["v1 other family", line("PROXY UDP4 192.0.2.1 198.51.100.2 56324 443")],
  ["v1 nothing", line("PROXY ")],
  ["v1 family alone", line("PROXY TCP4")],
  ["v1 IPv6 as TCP4", line("PROXY TCP4 ::1 ::1 56324 443")],
  ["v1 IPv4 as TCP6", line("PROXY TCP6 192.0.2.1 198.51.100.2 56324 443")],
  ["v1 zone", line("PROXY TCP6 fe80::1%1 fe80::2 56324 443")],
  ["v1 name", line("PROXY TCP4 localhost 198.51.100.2 56324 443")],
  ["v1 octal address", line("PROXY TCP4 192.0.02.1 198.51.100.2 56324 443")],
  ["v1 port too large", line("PROXY TCP4 192.0.2.1 198.51.100.2 65536 443")],
  ["v1 signed port", line("PROXY TCP4 192.0.2.1 198.51.100.2 +56324 443")],
  ["v1 leading zero", line("PROXY TCP4 192.0.2.1 198.51.100.2 056324 443")],
  ["v1 two spaces", line("PROXY TCP4  192.0.2.1 198.51.100.2 56324 443")],
  ["v1 space at the end", line("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 ")],
  ["v1 missing port", line("PROXY TCP4 192.0.2.1 198.51.100.2 56324")],
  ["v1 CR within", Buffer.from("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r \r\n")],
  ["v1 NUL within", line("PROXY TCP4 192.0.2.1\0 198.51.100.2 56324 443")],
  ["v1 too long", line(`PROXY UNKNOWN ${"f".repeat(92)}`)],
  ["v1 without end", Buffer.from(`PROXY UNKNOWN ${"f".repeat(93)}`)],
  ["v2 version 1", binary(0x11, 0x11, ipv4)],
  ["v2 other command", binary(0x22, 0x11, ipv4)],
  ["v2 other family", binary(0x21, 0x41, ipv4)],
  ["v2 datagrams", binary(0x21, 0x12, ipv4)],
  ["v2 addresses cut", binary(0x21, 0x11, ipv4.subarray(0, 11))],
  ["v2 IPv6 addresses cut", binary(0x21, 0x21, ipv6.subarray(0, 35))],
  ["v2 Unix addresses cut", binary(0x21, 0x31, Buffer.alloc(215))],
  ["v2 field cut", binary(0x21, 0x11, Buffer.concat([ipv4, Buffer.from([1, 0])]))],
  ["v2 field too long", binary(0x21, 0x11, Buffer.concat([ipv4, Buffer.from([1, 0, 9, 1])]))],
  ["v2 short checksum", binary(0x21, 0x11, Buffer.concat([ipv4, field(3, Buffer.alloc(3))]))],
  ["v2 too long", binary(0x21, 0x11, Buffer.alloc(2049))],
  ["v2 too long, not all there", binary(0x21, 0x11, ipv4, 65_535)],
];

for (const [name, bytes] of malformed) {
  test(`proxy protocol: refuses ${name}`, () => {
    const { result, header } = parse(bytes);
    assert.equal(result, PROXY_MALFORMED);
    assert.equal(header.isLocal, true);
  });
}

test("proxy protocol: refuses another beginning at its first wrong byte", () => {
  for (const good of [Buffer.from("PROXY "), signature]) {
    for (let index = 0; index < good.length; index++) {
      const bytes = Buffer.from(good.subarray(0, index + 1));
      bytes[index]! ^= 0x20;
      assert.equal(parse(bytes).result, PROXY_MALFORMED, `${good.toString()} ${index}`);
    }
  }
  assert.equal(parse(Buffer.concat([signature, Buffer.from([0x31])])).result, PROXY_MALFORMED);
});

test("proxy protocol: a checksum notices every flipped bit", () => {
  const bytes = checksummed();
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const corrupted = Buffer.from(bytes);
    corrupted[bit >> 3]! ^= 1 << (bit & 7);
    // A longer length waits for bytes that never come; a LOCAL header has no checksum to look at.
    const isLength = bit >> 3 === 14 || bit >> 3 === 15;
    const isLocal = (corrupted[12]! & 0x0f) === 0;
    const noChecksum = corrupted[28] !== 3;
    if (isLength || isLocal || noChecksum) continue;
    if (corrupted[13] === 0) continue;
    assert.equal(parse(corrupted).result, PROXY_MALFORMED, String(bit));
  }
});

test("proxy protocol: addresses and ports written in either version are read back", () => {
  const port = fc.integer({ min: 0, max: 65_535 });
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(address, address, port, port, (source, destination, from, to) => {
      const isV4 = !source.includes(":");
      fc.pre(isV4 === !destination.includes(":"));
      const bytes = line(`PROXY TCP${isV4 ? 4 : 6} ${source} ${destination} ${from} ${to}`);
      const { result, header } = parse(bytes);
      assert.equal(result, bytes.length);
      assert.equal(header.sourcePort, from);
      assert.equal(header.destinationPort, to);
      const octets = Buffer.from(header.sourceAddress.split(".").map(Number));
      if (isV4 && !destination.includes(":")) {
        const payload = Buffer.concat([octets, octets, Buffer.alloc(4)]);
        assert.equal(parse(binary(0x21, 0x11, payload)).header.sourceAddress, source);
      }
    }),
  );
});

test("proxy protocol: whatever bytes come, it answers, and never takes more than its limit", () => {
  const tail = fc.uint8Array({ maxLength: 3000 });
  const start = fc.constantFrom(Buffer.alloc(0), Buffer.from("PROXY "), signature);
  fc.assert(
    fc.property(start, tail, (head, rest) => {
      const bytes = Buffer.concat([head, rest]);
      const { result } = parse(bytes);
      if (result === PROXY_INCOMPLETE) assert.ok(bytes.length < proxyHeaderBytesMax);
      else if (result !== PROXY_MALFORMED) {
        assert.ok(result > 0 && result <= Math.min(bytes.length, proxyHeaderBytesMax));
      }
    }),
  );
});
