/** staging-policy: a policy as users write them, that puts bodies through the stages a header asks for. */
import { BodyStage, defineFaultType, definePolicy, problem, section, WholeBody } from "gateward";

const BYTES_MAX = 1024 * 1024;

const refused = defineFaultType("staging-refused", {
  status: 422,
  title: "Refused by a stage",
  whose: "client",
  retrySafe: "never",
  cause: "A test asked for it.",
  remedy: "Ask for something else.",
});
const refusal = problem(refused);

/** Sends on what comes with its capitals swapped. */
class Capitals extends BodyStage {
  readonly holdsHead = false;

  write(bytes: Buffer, start: number, end: number): void {
    const changed = Buffer.from(bytes.subarray(start, end));
    for (let at = 0; at < changed.length; at++) {
      if (changed[at]! >= 0x61 && changed[at]! <= 0x7a) changed[at]! -= 0x20;
    }
    this.sink.push(changed, 0, changed.length);
  }

  end(): void {
    this.sink.end();
  }
}

/** Fails once something has passed. */
class FailsLate extends Capitals {
  private hasPassed = false;

  override write(bytes: Buffer, start: number, end: number): void {
    if (this.hasPassed) this.sink.fail(refusal);
    else super.write(bytes, start, end);
    this.hasPassed = true;
  }
}

const whole = (judge: ConstructorParameters<typeof WholeBody>[2]): WholeBody =>
  new WholeBody(BYTES_MAX, refusal, judge);

/** By what the header says. */
const stages: Record<string, () => BodyStage> = {
  whole: () => whole((body) => Buffer.concat([Buffer.from("whole:"), body])),
  late: () => whole(async (body) => await Promise.resolve(Buffer.from(body.toString().repeat(2)))),
  refuses: () => whole(() => refusal),
  throws: () =>
    whole(() => {
      throw new Error("a stage that throws");
    }),
  capitals: () => new Capitals(),
  "fails-late": () => new FailsLate(),
};

export default definePolicy({
  name: "staging",
  summary: "Puts bodies through stages.",
  schema: section({}).prefault({}),
  faults: [refused],
  compile: () => ({
    onRequest(exchange) {
      for (const name of namesIn(exchange.header("x-request-stages"))) {
        exchange.stageRequest(stages[name]!());
      }
    },
    onResponse(exchange) {
      for (const name of namesIn(exchange.header("x-response-stages"))) {
        exchange.stageResponse(stages[name]!());
      }
    },
  }),
});

function namesIn(header = ""): string[] {
  return header === "" ? [] : header.split(" ");
}
