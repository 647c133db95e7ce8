import { request } from "node:http";
import { AnswerBody, type ExpectedAnswer, judgeAnswer } from "./expected-answer.ts";
import { openProbeSocket, type ProbePlace, ConnectionWatch } from "./probe-socket.ts";
import { endOnce, failed, type Probe } from "./probe.ts";

/** What a check asks for. */
export interface ProbeRequest {
  readonly method: string;
  readonly path: string;
  /** Value of Host and `:authority`. */
  readonly authority: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Passes when one HTTP/1.1 request is answered as expected. Redirects are not followed. */
export function http1Probe(
  place: ProbePlace,
  asked: ProbeRequest,
  expected: ExpectedAnswer,
): Probe {
  return (done) => {
    const socket = openProbeSocket(place);
    const watch = new ConnectionWatch(socket, place);
    const end = endOnce(() => sent.destroy(), done);
    const { method, path, authority } = asked;
    const sent = request({
      createConnection: () => socket,
      method,
      path,
      setHost: false,
      headers: { ...asked.headers, host: authority, connection: "close" },
    });
    sent.on("response", (response) => {
      const body = new AnswerBody();
      const judge = (): void => end(judgeAnswer(expected, response.statusCode!, body));
      response.on("data", (part: Buffer) => {
        if (body.add(part)) judge();
      });
      response.on("end", judge);
      response.on("error", (error) => end(watch.outcomeOf(error)));
    });
    sent.on("upgrade", () => end(failed("unexpected", "status 101")));
    sent.on("error", (error) => end(watch.outcomeOf(error)));
    sent.on("close", () => end(watch.outcomeOf(null)));
    sent.end();
    return () => end(null);
  };
}
