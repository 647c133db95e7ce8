import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../../base/random.ts";
import { BodyFlaw } from "../body-flaw.ts";
import type { Json, JsonMap } from "../json-value.ts";
import { xmlFormat, type XmlSettings } from "./xml-format.ts";

const plain: XmlSettings = {
  arrays: [],
  types: false,
  root: "root",
  contentType: "application/xml",
};

function read(text: string | Buffer, settings: Partial<XmlSettings> = {}, type = "text/xml"): Json {
  return xmlFormat({ ...plain, ...settings }).read(Buffer.from(text as string), type);
}

function write(value: Json): string {
  const text = xmlFormat(plain).write(value).toString();
  return text.replace('<?xml version="1.0" encoding="UTF-8"?>\n', "");
}

function flawOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof BodyFlaw, String(error));
    return `${error.kind} ${error.code}`;
  }
  return "";
}

const readings: [xml: string, value: Json][] = [
  ["<a/>", { a: "" }],
  ["<a>x</a>", { a: "x" }],
  ["<a> x\n</a>", { a: " x\n" }],
  ["<a b=\"1\" c='2'/>", { a: { "@b": "1", "@c": "2" } }],
  ['<a b="1">x</a>', { a: { "@b": "1", "#text": "x" } }],
  ["<a><b>1</b></a>", { a: { b: "1" } }],
  ["<a><b>1</b><c/><b>2</b></a>", { a: { b: ["1", "2"], c: "" } }],
  ["<a>\n  <b>1</b>\n</a>", { a: { b: "1" } }],
  ["<a>one<b/>two</a>", { a: { b: "", "#text": "onetwo" } }],
  ["<a><![CDATA[<b>&amp;]]></a>", { a: "<b>&amp;" }],
  ["<a>&lt;&#65;&#x42;&amp;</a>", { a: "<AB&" }],
  ["<?xml version='1.0'?><!-- c --><a><?pi x?><!-- c -->1</a>", { a: "1" }],
  ['<s:a xmlns:s="urn:s"><s:b/></s:a>', { "s:a": { "@xmlns:s": "urn:s", "s:b": "" } }],
  ["<constructor><toString/></constructor>", { constructor: { toString: "" } }],
];

for (const [xml, value] of readings) {
  test(`XML: ${JSON.stringify(xml)} is ${JSON.stringify(value)}`, () => {
    assert.deepEqual(read(xml), value);
  });
}

test("XML: named elements are lists also where there is one", () => {
  const xml = "<o><i>1</i><p><i>2</i></p></o>";
  assert.deepEqual(read(xml, { arrays: ["o.i"] }), { o: { i: ["1"], p: { i: "2" } } });
  assert.deepEqual(read(xml, { arrays: ["**.i"] }), { o: { i: ["1"], p: { i: ["2"] } } });
});

test("XML: types are made of texts only where that is asked for", () => {
  const xml = '<a b="1"><c>-1.5</c><d>true</d><e>007</e><f>12345678901234567890</f><g>1e5</g></a>';
  const typed = { a: { "@b": 1, c: -1.5, d: true, e: "007", f: "F", g: "1e5" } };
  const value = read(xml, { types: true });
  assert.equal(JSON.stringify(value), JSON.stringify(typed).replace('"F"', "12345678901234567890"));
});

const laughs = `<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><l>&b;</l>`;
const attributes = Array.from({ length: 300 }, (_, index) => `a${index}="1"`).join(" ");

const refused: [what: string, xml: string | Buffer, flaw: string][] = [
  ["a document type with entities", laughs, "malformed doctype"],
  [
    "an external entity",
    '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "malformed doctype",
  ],
  ["an external document type", '<!DOCTYPE a SYSTEM "http://a.example/"><a/>', "malformed doctype"],
  ["an unknown entity", "<a>&nbsp;</a>", "malformed not-xml"],
  ["an element that is not closed", "<a><b></a>", "malformed not-xml"],
  ["nothing", "", "malformed not-xml"],
  ["text", "hello", "malformed not-xml"],
  ["two roots", "<a/><b/>", "malformed not-xml"],
  ["an attribute that comes twice", '<a b="1" b="2"/>', "malformed not-xml"],
  ["a control character", "<a>\u0001</a>", "malformed not-xml"],
  ["a reference to one", "<a>&#1;</a>", "malformed not-xml"],
  ["nesting without end", "<a>".repeat(100_000), "malformed too-deep"],
  ["elements without end", `<a>${"<b/>".repeat(100_001)}</a>`, "malformed too-many-elements"],
  ["too many attributes", `<a ${attributes}/>`, "malformed too-many-attributes"],
  ["__proto__", "<a><__proto__><x/></__proto__></a>", "malformed reserved-name"],
  ["UTF-16", Buffer.from("\ufeff<a/>", "utf16le"), "unsupported charset"],
  [
    "an encoding that is not known",
    '<?xml version="1.0" encoding="utf-7"?><a/>',
    "unsupported charset",
  ],
  ["bytes that are not UTF-8", Buffer.from("<a>\xe9</a>", "latin1"), "malformed not-utf8"],
];

for (const [what, xml, flaw] of refused) {
  test(`XML: ${what} is refused`, () => {
    assert.equal(
      flawOf(() => read(xml)),
      flaw,
    );
  });
}

test("XML: an attribute of a megabyte is read", () => {
  const long = "x".repeat(1_000_000);
  assert.deepEqual(read(`<a b="${long}"/>`), { a: { "@b": long } });
});

test("XML: latin1 is read by declaration and by charset, and a contradiction refused", () => {
  const declared = Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>', "latin1");
  assert.deepEqual(read(declared), { a: "é" });
  assert.deepEqual(read(declared, {}, "text/xml; charset=iso-8859-1"), { a: "é" });
  const bare = Buffer.from("<a>\xe9</a>", "latin1");
  assert.deepEqual(read(bare, {}, "text/xml; charset=latin1"), { a: "é" });
  assert.equal(
    flawOf(() => read(declared, {}, "text/xml; charset=utf-8")),
    "malformed charset",
  );
  assert.equal(
    flawOf(() => read("\ufeff<a/>", {}, "text/xml; charset=latin1")),
    "malformed charset",
  );
});

const writings: [value: Json, xml: string][] = [
  [{ a: "x" }, "<a>x</a>"],
  [{ a: null }, "<a/>"],
  [{ a: 1, b: true }, "<root><a>1</a><b>true</b></root>"],
  [[1, 2], "<root><item>1</item><item>2</item></root>"],
  [{ a: [1, { b: 2 }] }, "<root><a>1</a><a><b>2</b></a></root>"],
  [{ r: { a: [[1, 2], [3]] } }, "<r><a><item>1</item><item>2</item></a><a><item>3</item></a></r>"],
  [
    { a: { "@b": '<"&\n', "#text": "]]><&\r" } },
    '<a b="&lt;&quot;&amp;&#10;">]]&gt;&lt;&amp;&#13;</a>',
  ],
  ["just text", "<root>just text</root>"],
];

for (const [value, xml] of writings) {
  test(`XML: ${JSON.stringify(value)} is written ${xml}`, () => {
    assert.equal(write(value), xml);
  });
}

test("XML: what is no name, character or single value in XML is not written", () => {
  const injected = "a><script/><a";
  const cases: [Json, string][] = [
    [{ r: { [injected]: 1 } }, "unmappable xml-name"],
    [{ r: { [`@x y="1" z`]: 1 } }, "unmappable xml-name"],
    [{ r: { "1a": 1 } }, "unmappable xml-name"],
    [{ r: { "": 1 } }, "unmappable xml-name"],
    [{ r: { "a:b:c": 1 } }, "unmappable xml-name"],
    [{ r: "\u0000" }, "unmappable xml-character"],
    [{ r: "\ud800" }, "unmappable xml-character"],
    [{ r: { "@a": {} } }, "unmappable xml-value"],
    [{ r: { "#text": [] } }, "unmappable xml-value"],
  ];
  for (const [value, flaw] of cases) {
    assert.equal(
      flawOf(() => write(value)),
      flaw,
      JSON.stringify(value),
    );
  }
});

test("XML: what is written reads as it was", () => {
  const drawn = new Random(1);
  const random = (below: number): number => drawn.below(below);
  const texts = ["", "x", "<&>\"'", "é€😀", "a\r\nb\tc", "]]>", "&amp;", "-->"];
  const text = (): string => texts[random(texts.length)]!;
  const value = (depth: number): Json => {
    if (depth === 0 || random(3) === 0) return text();
    const map: JsonMap = {};
    for (const name of ["@a", "@ns:b", "c", "d-e", "é"]) {
      if (random(2) === 0) continue;
      if (name.startsWith("@")) map[name] = text();
      else if (random(2) === 0) map[name] = value(depth - 1);
      else map[name] = [value(depth - 1), value(depth - 1)];
    }
    // A map of nothing is an element without content, as an empty text is.
    return Object.keys(map).length === 0 ? "" : map;
  };
  for (let count = 0; count < 500; count++) {
    const document = { root: value(4) };
    const xml = xmlFormat(plain).write(document);
    assert.deepEqual(xmlFormat(plain).read(xml, "application/xml"), document, xml.toString());
  }
});

test("XML: what is not well formed is told with its place", () => {
  const places: [text: string, place: string][] = [
    ["<a>\n  <b></c>\n</a>", "line 2, column 9"],
    ["<a", "line 1, column 2"],
    ["", "line 1, column 1"],
  ];
  for (const [text, place] of places) {
    const reading = () => read(text);
    assert.throws(reading, { message: `The body is not well-formed XML: ${place}.` }, text);
  }
});
