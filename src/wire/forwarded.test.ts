import assert from "node:assert/strict";
import { test } from "node:test";
import { parseForwarded } from "../base/forwarded-client.ts";
import { TrustedAddresses } from "../base/trusted-addresses.ts";
import {
  Forwarding,
  forwardedLines,
  forwardedLinesAfter,
  parseForwardedProto,
} from "./forwarded.ts";
import type { ForwardingSettings, SentForwarding } from "./forwarded.ts";

function connection(settings: Partial<ForwardingSettings> = {}): Forwarding {
  return new Forwarding({
    peerAddress: "192.0.2.1",
    localPort: 8443,
    isTls: true,
    xForwarded: true,
    forwarded: false,
    ...settings,
  });
}

const nothingSent: SentForwarding = { xFor: "", xProto: "", xHost: "", xPort: "", forwarded: "" };

test("forwarded lines: X-Forwarded tells the peer, scheme, port and host", () => {
  assert.equal(
    forwardedLines(connection(), "a.test:8443"),
    "x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: https\r\nx-forwarded-port: 8443\r\n" +
      "x-forwarded-host: a.test:8443\r\n",
  );
});

test("forwarded lines: Forwarded quotes what is no token", () => {
  const forwarding = connection({ xForwarded: false, forwarded: true, peerAddress: "2001:db8::1" });
  assert.equal(
    forwardedLines(forwarding, "a.test:8443"),
    'forwarded: for="[2001:db8::1]";proto=https;host="a.test:8443"\r\n',
  );
});

test("forwarded lines: both, or none", () => {
  const both = connection({ forwarded: true, isTls: false });
  assert.equal(
    forwardedLines(both, "a"),
    "x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: http\r\nx-forwarded-port: 8443\r\n" +
      'x-forwarded-host: a\r\nforwarded: for=192.0.2.1;proto=http;host="a"\r\n',
  );
  const none = connection({ xForwarded: false });
  assert.equal(forwardedLines(none, "a"), "");
  assert.equal(forwardedLinesAfter(none, "a", { ...nothingSent, xFor: "1.2.3.4" }), "");
});

test("forwarded lines: a Unix socket has no address and no port, a request may lack a host", () => {
  const unix = connection({ peerAddress: "", localPort: 0, forwarded: true });
  assert.equal(
    forwardedLines(unix, ""),
    "x-forwarded-proto: https\r\nforwarded: for=unknown;proto=https\r\n",
  );
  assert.equal(forwardedLinesAfter(unix, "", nothingSent), forwardedLines(unix, ""));
});

test("forwarded lines: after a trusted peer that sent nothing they are as for any other", () => {
  const forwarding = connection({ forwarded: true });
  const lines = forwardedLinesAfter(forwarding, "a.test", nothingSent);
  assert.equal(lines, forwardedLines(forwarding, "a.test"));
});

test("forwarded lines: what a trusted peer sent goes on, with the peer at the end", () => {
  const sent: SentForwarding = {
    xFor: "203.0.113.5, 10.0.0.9",
    xProto: "http",
    xHost: "shop.test",
    xPort: "8080",
    forwarded: "for=203.0.113.5",
  };
  assert.equal(
    forwardedLinesAfter(connection({ forwarded: true }), "inner", sent),
    "x-forwarded-for: 203.0.113.5, 10.0.0.9, 192.0.2.1\r\nx-forwarded-proto: http\r\n" +
      "x-forwarded-port: 8080\r\nx-forwarded-host: shop.test\r\n" +
      'forwarded: for=203.0.113.5, for=192.0.2.1;proto=https;host="inner"\r\n',
  );
});

test("forwarded lines: a trusted peer that tells the scheme alone means its usual port", () => {
  const port = (xProto: string) =>
    /x-forwarded-port: (\d+)/.exec(
      forwardedLinesAfter(connection({ isTls: false }), "a", { ...nothingSent, xProto }),
    )?.[1];
  assert.equal(port("https"), "443");
  assert.equal(port("http"), "80");
  assert.equal(port("gopher"), "8443");
});

test("forwarded lines: another gateway reads them back", () => {
  const trusted = new TrustedAddresses(["10.0.0.0/8"]);
  const forwarding = connection({ forwarded: true, peerAddress: "2001:db8::1" });
  const value = forwardedLines(forwarding, "[::1]:80").split("forwarded: ").at(-1)!.trim();
  assert.deepEqual(parseForwarded(value, trusted, "10.0.0.1"), {
    address: "2001:db8::1",
    proto: "https",
    host: "[::1]:80",
  });
});

test("X-Forwarded-Proto: the first of a list, in either spelling", () => {
  assert.equal(parseForwardedProto("https"), "https");
  assert.equal(parseForwardedProto(" HTTPS , http"), "https");
  assert.equal(parseForwardedProto("ws"), "http");
  assert.equal(parseForwardedProto("wss"), "https");
  assert.equal(parseForwardedProto(""), "");
  assert.equal(parseForwardedProto("ftp, https"), "");
});
