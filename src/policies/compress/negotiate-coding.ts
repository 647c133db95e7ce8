/** Qualities are compared in thousandths (RFC 9110, section 12.4.2). */
const QUALITY = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;
const CACHED_MAX = 256;
const CACHED_LENGTH_MAX = 200;

/**
 * Chooses by Accept-Encoding (RFC 9110, section 12.5.3). Clients send few different values, so the last ones are kept.
 */
export class CodingNegotiation<Coding extends string> {
  private readonly offered: readonly Coding[];
  private readonly cached = new Map<string, Coding | "identity">();

  /** @param offered of those that a client likes equally the first is taken */
  constructor(offered: readonly Coding[]) {
    this.offered = offered;
  }

  /** `identity`: none, also where the client accepts nothing that there is. */
  choose(accepted: string | undefined): Coding | "identity" {
    if (accepted === undefined) return "identity";
    const known = this.cached.get(accepted);
    if (known !== undefined) return known;
    const coding = this.negotiate(accepted);
    if (accepted.length <= CACHED_LENGTH_MAX) {
      if (this.cached.size >= CACHED_MAX) this.cached.clear();
      this.cached.set(accepted, coding);
    }
    return coding;
  }

  private negotiate(accepted: string): Coding | "identity" {
    const qualities = readQualities(accepted);
    const any = qualities.get("*");
    // Not named, it is acceptable and liked least of all.
    let best = qualities.get("identity") ?? 0;
    let chosen: Coding | "identity" = "identity";
    for (const coding of this.offered) {
      const quality = qualities.get(coding) ?? any ?? 0;
      const isBetter = chosen === "identity" ? quality >= best : quality > best;
      if (quality === 0 || !isBetter) continue;
      best = quality;
      chosen = coding;
    }
    return chosen;
  }
}

/** By coding; of a malformed part 0. */
function readQualities(accepted: string): Map<string, number> {
  const qualities = new Map<string, number>();
  for (const part of accepted.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((one) => one.trim());
    if (name === "") continue;
    const quality = parameters.length === 0 ? "1" : QUALITY.exec(parameters[0]!)?.[1];
    qualities.set(name === "x-gzip" ? "gzip" : name, Number(quality ?? 0));
  }
  return qualities;
}
