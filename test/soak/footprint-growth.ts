import type { Footprint } from "./soaked-gateway.ts";

const MEBIBYTE = 2 ** 20;

/**
 * What may be more at the end than before. Compiled code and inline caches still grow for some hundred
 * reloads; a leak of 1 kB in each reload of an hour is 12 MB.
 */
const HEAP_GROWTH_MAX_BYTES = 4 * MEBIBYTE;
const EXTERNAL_GROWTH_MAX_BYTES = 4 * MEBIBYTE;
const RSS_GROWTH_MAX_BYTES = 64 * MEBIBYTE;
const RESOURCE_GROWTH_MAX = 2;
const DESCRIPTOR_GROWTH_MAX = 2;
/** Slots are given out again in any order, and tunnels keep some of older configurations. */
const SLOT_GROWTH_MAX = 16;

/** What has grown beyond what is allowed, in sentences. Both were taken at rest, with the same document. */
export function footprintGrowth(before: Footprint, after: Footprint): string[] {
  const growth: string[] = [];
  const hold = (what: string, was: number, is: number, max: number): void => {
    if (is - was > max) growth.push(`${what} has grown from ${was} to ${is}`);
  };
  for (const [index, now] of after.threads.entries()) {
    const was = before.threads[index]!;
    hold(`heap of ${now.thread}`, was.heapBytes, now.heapBytes, HEAP_GROWTH_MAX_BYTES);
    const [external, externalMax] = [now.externalBytes, EXTERNAL_GROWTH_MAX_BYTES];
    hold(`external memory of ${now.thread}`, was.externalBytes, external, externalMax);
    hold(`resources of ${now.thread}`, was.resources, now.resources, RESOURCE_GROWTH_MAX);
    hold(`highest counter of ${now.thread}`, was.slotMax, now.slotMax, SLOT_GROWTH_MAX);
    if (now.counted !== 0) growth.push(`${now.thread} sees shared counters of ${now.counted}`);
  }
  hold("resident memory", before.rssBytes, after.rssBytes, RSS_GROWTH_MAX_BYTES);
  hold("descriptors", before.descriptors, after.descriptors, DESCRIPTOR_GROWTH_MAX);
  for (const sample of after.busy) growth.push(`at rest there is still ${sample}`);
  hold("samples of metrics", before.metricSamples, after.metricSamples, 0);
  return growth;
}

/** One line for each thread and one for the process. */
export function describeFootprint(footprint: Footprint): string {
  const threads = footprint.threads.map(({ thread, heapBytes, externalBytes, resources }) => {
    const external = `${inMebibytes(externalBytes)} external`;
    return `  ${thread.padEnd(9)} heap ${inMebibytes(heapBytes)}, ${external}, ${resources} resources`;
  });
  const { rssBytes, descriptors, metricSamples } = footprint;
  const rss = `resident ${inMebibytes(rssBytes)}`;
  return [
    ...threads,
    `  process   ${rss}, ${descriptors} descriptors, ${metricSamples} samples of metrics`,
  ].join("\n");
}

function inMebibytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
}
