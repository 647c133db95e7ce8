import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import type { TLSSocket } from "node:tls";
import { AnswerBody, type ExpectedAnswer, judgeAnswer } from "./expected-answer.ts";
import type { ProbeRequest } from "./http1-probe.ts";
import { openProbeSocket, type ProbePlace, ConnectionWatch } from "./probe-socket.ts";
import { endOnce, failed, type Probe, type ProbeOutcome } from "./probe.ts";

/** One answer over HTTP/2. */
export interface Http2Answer {
  readonly head: IncomingHttpHeaders;
  readonly body: AnswerBody;
  /** Empty where there were none. */
  readonly trailers: IncomingHttpHeaders;
}

/** What one request over HTTP/2 needs. */
export interface Http2Exchange {
  readonly place: ProbePlace;
  readonly asked: ProbeRequest;
  /** Empty for none. */
  readonly sent: Buffer;
  judge(answer: Http2Answer): ProbeOutcome;
}

/** Passes when one HTTP/2 request is answered as expected; over TLS by ALPN, else with prior knowledge. */
export function http2Probe(
  place: ProbePlace,
  asked: ProbeRequest,
  expected: ExpectedAnswer,
): Probe {
  const judge = ({ head, body }: Http2Answer): ProbeOutcome =>
    judgeAnswer(expected, Number(head[":status"]), body);
  return exchangeProbe({ place, asked, sent: Buffer.alloc(0), judge });
}

/** Sends one request on a connection of its own and has its answer judged. */
export function exchangeProbe(exchange: Http2Exchange): Probe {
  const { place, asked } = exchange;
  return (done) => {
    const socket = openProbeSocket(place);
    const watch = new ConnectionWatch(socket, place);
    const end = endOnce(() => {
      session.destroy();
      socket.destroy();
    }, done);
    // Before the session hears of it, which has other words.
    socket.on("error", (error) => end(watch.outcomeOf(error)));
    const session = connect(`${place.tls === null ? "http" : "https"}://${asked.authority}`, {
      createConnection: () => socket,
      settings: { enablePush: false },
    });
    socket.once("secureConnect", () => {
      if ((socket as TLSSocket).alpnProtocol !== "h2") end(failed("broken", "no HTTP/2 by ALPN"));
    });
    session.on("error", (error) => end(watch.outcomeOf(error)));
    session.on("close", () => end(watch.outcomeOf(null)));
    ask(session, exchange, end, watch);
    return () => end(null);
  };
}

function ask(
  session: ClientHttp2Session,
  { asked, sent, judge }: Http2Exchange,
  end: (outcome: ProbeOutcome) => void,
  watch: ConnectionWatch,
): void {
  const stream = session.request(
    {
      ...asked.headers,
      ":method": asked.method,
      ":path": asked.path,
      ":authority": asked.authority,
    },
    { endStream: sent.length === 0 },
  );
  const body = new AnswerBody();
  let head: IncomingHttpHeaders | undefined;
  let trailers: IncomingHttpHeaders = {};
  const finish = (): void => {
    if (head !== undefined) end(judge({ head, body, trailers }));
  };
  stream.on("response", (headers) => (head = headers));
  stream.on("trailers", (headers) => (trailers = headers));
  stream.on("data", (part: Buffer) => {
    if (body.add(part)) finish();
  });
  stream.on("error", (error) => end(watch.outcomeOf(error)));
  // Not at "end": trailers may come after it.
  stream.on("close", () => {
    if (stream.rstCode === constants.NGHTTP2_NO_ERROR && head !== undefined) finish();
    else end(watch.outcomeOf(null));
  });
  if (sent.length > 0) stream.end(sent);
}
