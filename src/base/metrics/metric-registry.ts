/**
 * The main thread's side of the metrics: gives each child its cells, takes them back when no snapshot
 * names it any more, and reads all threads' rows for a scrape.
 *
 * Children are leased by a whole snapshot at once, and the lease's index goes to the workers with it.
 * A child that several leases name keeps its cells, so its count goes on across reloads. When the
 * worker of a row dies its counters stay, since counters must not fall: the next worker goes on from
 * there. Only its gauges are cleared.
 */
import { labelText } from "./label-text.ts";
import { childKey } from "./metric-family.ts";
import type { LabelValues, MetricFamily } from "./metric-family.ts";
import { MetricMemory, NO_CELLS } from "./metric-memory.ts";
import { MetricView } from "./metric-view.ts";
import type { MetricIndex, MetricsHandle } from "./metric-view.ts";

/** A child to be leased; `metricChild` makes one with its labels checked by the compiler. */
export interface MetricChild {
  readonly family: MetricFamily;
  readonly labels: readonly string[];
}

export function metricChild<Labels extends readonly string[]>(
  family: MetricFamily<MetricFamily["kind"], Labels>,
  labels: LabelValues<Labels>,
): MetricChild {
  return { family, labels };
}

export interface MetricLease {
  readonly index: MetricIndex;
  /** Gives the children up; further calls do nothing. */
  release(): void;
}

/** For children that are known by their place in a list: cheap where there are thousands. */
export interface MetricListLease {
  /** Where the cells of each child begin, in the order of the list. */
  readonly cells: Int32Array;
  /** Gives the children up; further calls do nothing. */
  release(): void;
}

export interface MetricRegistrySettings {
  families: readonly MetricFamily[];
  /** Workers that may count at once; the main thread has a row of its own besides. */
  workers: number;
  /** Children a family may have; those beyond count together as `other`. Default 10000. */
  childrenMax?: number;
  /** Cells in each thread's row, default 262144 (2 MiB, taken from the system as they are used). */
  cellsPerRow?: number;
  /** Called once for each family that ran out of children or cells. */
  onOverflow?: (family: MetricFamily) => void;
}

/** One child as a scrape sees it. */
export interface MetricSample {
  /** `route="users",service="users"`, escaped; empty without labels. */
  readonly labels: string;
  /** The threads' cells as one. Histograms: count of each bucket, of the infinite one, sum. */
  readonly values: readonly number[];
}

export interface FamilySamples {
  readonly family: MetricFamily;
  readonly samples: readonly MetricSample[];
}

/** What children beyond the limit are labelled. */
const OVERFLOW_LABEL = "other";

interface Child {
  readonly key: string;
  readonly labels: string;
  readonly start: number;
  leases: number;
}

interface FamilyState {
  readonly family: MetricFamily;
  readonly children: Map<string, Child>;
  /** The unlabelled child, or the one that takes what finds no place. Never freed. */
  readonly permanent: Child;
  /** Read at each scrape instead of cells. */
  computed: (() => number) | undefined;
  /** Whether the permanent child stands for anything. */
  permanentUsed: boolean;
}

export class MetricRegistry {
  /** For the main thread's own counts; knows the families without labels. */
  readonly own: MetricView;
  private readonly memory: MetricMemory;
  private readonly states: Map<MetricFamily, FamilyState>;
  private readonly childrenMax: number;
  private readonly onOverflow: (family: MetricFamily) => void;
  private readonly overflowed: Set<MetricFamily>;

  constructor(settings: MetricRegistrySettings) {
    const { families, workers, childrenMax = 10_000, cellsPerRow = 2 ** 18 } = settings;
    this.memory = new MetricMemory(workers + 1, cellsPerRow);
    this.states = new Map();
    this.childrenMax = childrenMax;
    this.onOverflow = settings.onOverflow ?? (() => {});
    this.overflowed = new Set();
    for (const family of families) this.add(family);
    this.own = this.ownView(this.lease([]).index);
  }

  /** For the main thread's own counts of what a lease has children of. */
  ownView(index: MetricIndex): MetricView {
    const { handle } = this;
    return new MetricView(handle, handle.rows - 1, index);
  }

  /** What workers open the metrics with; worker `n` uses row `n`. */
  get handle(): MetricsHandle {
    return this.memory.handle;
  }

  /** Children of a family that have cells of their own. */
  childCount(family: MetricFamily): number {
    return this.state(family).children.size;
  }

  /** Adds a family, of a policy or of the process; no-op when it is there. */
  add(family: MetricFamily): void {
    if (this.states.has(family)) return;
    for (const known of this.states.keys()) {
      if (known.name === family.name) throw new Error(`two families named ${family.name}`);
    }
    const values = family.labels.map(() => OVERFLOW_LABEL);
    const permanent = this.makeChild(family, values, childKey(family, values));
    if (permanent === undefined) throw new Error(`no room for the metric ${family.name}`);
    const permanentUsed = family.labels.length === 0;
    const children = new Map<string, Child>();
    this.states.set(family, { family, children, permanent, computed: undefined, permanentUsed });
  }

  /** Has a family without labels read from `read` at each scrape, instead of counted. */
  compute(family: MetricFamily<MetricFamily["kind"], readonly []>, read: () => number): void {
    this.add(family);
    this.state(family).computed = read;
  }

  /** States a fact for as long as the process runs. */
  inform<Labels extends readonly string[]>(
    family: MetricFamily<"info", Labels>,
    labels: LabelValues<Labels>,
  ): void {
    this.add(family);
    this.acquire(this.state(family), metricChild(family, labels), childKey(family, labels));
  }

  /** Cells for all of `children` and for every family without labels, held until `release`. */
  lease(children: Iterable<MetricChild>): MetricLease {
    const index: [string, number][] = [];
    for (const { family, permanent } of this.states.values()) {
      if (family.labels.length === 0) index.push([permanent.key, permanent.start]);
    }
    const held = new Map<Child, FamilyState>();
    for (const wanted of children) {
      const key = childKey(wanted.family, wanted.labels);
      index.push([key, this.hold(wanted, key, held).start]);
    }
    return { index: Object.fromEntries(index), release: () => this.giveAll(held) };
  }

  /** Cells for all of `children`, held until `release`. The list is in shared memory. */
  leaseList(children: readonly MetricChild[]): MetricListLease {
    const held = new Map<Child, FamilyState>();
    const cells = new Int32Array(new SharedArrayBuffer(children.length * 4));
    for (const [position, wanted] of children.entries()) {
      const key = childKey(wanted.family, wanted.labels);
      cells[position] = this.hold(wanted, key, held).start;
    }
    return { cells, release: () => this.giveAll(held) };
  }

  /** Zeroes the gauges of a dead worker's row. Call before another worker gets the row. */
  clearRow(row: number): void {
    for (const { family, children, permanent } of this.states.values()) {
      if (family.kind !== "gauge") continue;
      this.memory.clear(row, permanent.start, family.cellsPerChild);
      for (const { start } of children.values()) {
        this.memory.clear(row, start, family.cellsPerChild);
      }
    }
  }

  /** Every family with its children, threads added up. */
  *collect(): Generator<FamilySamples> {
    for (const state of this.states.values()) {
      const { family, children, permanent, permanentUsed, computed } = state;
      const samples: MetricSample[] = [];
      for (const child of children.values()) samples.push(this.read(family, child));
      if (computed !== undefined) samples.push({ labels: "", values: [computed()] });
      else if (permanentUsed) samples.push(this.read(family, permanent));
      yield { family, samples };
    }
  }

  private state(family: MetricFamily): FamilyState {
    const state = this.states.get(family);
    if (state === undefined) throw new Error(`the metric ${family.name} is not registered`);
    return state;
  }

  /** Acquires a child unless it is held already. */
  private hold(wanted: MetricChild, key: string, held: Map<Child, FamilyState>): Child {
    const state = this.state(wanted.family);
    const child = this.acquire(state, wanted, key);
    if (held.has(child)) this.give(state, child);
    held.set(child, state);
    return child;
  }

  private giveAll(held: Map<Child, FamilyState>): void {
    for (const [child, state] of held) this.give(state, child);
    held.clear();
  }

  private acquire(state: FamilyState, wanted: MetricChild, key: string): Child {
    const { family, labels } = wanted;
    if (labels.length !== family.labels.length) {
      throw new Error(`${family.name}: ${labels.length} labels given`);
    }
    const known = state.children.get(key);
    if (known !== undefined) {
      known.leases += 1;
      return known;
    }
    // Also when someone names a route like the overflow.
    if (key === state.permanent.key) return this.usePermanent(state);
    const full = state.children.size >= this.childrenMax;
    const child = full ? undefined : this.makeChild(family, labels, key);
    if (child === undefined) {
      if (!this.overflowed.has(family)) this.onOverflow(family);
      this.overflowed.add(family);
      return this.usePermanent(state);
    }
    child.leases = 1;
    state.children.set(key, child);
    return child;
  }

  private usePermanent(state: FamilyState): Child {
    state.permanentUsed = true;
    return state.permanent;
  }

  private give(state: FamilyState, child: Child): void {
    if (child === state.permanent) return;
    child.leases -= 1;
    if (child.leases > 0) return;
    state.children.delete(child.key);
    this.memory.free(child.start, state.family.cellsPerChild);
  }

  private makeChild(
    family: MetricFamily,
    labels: readonly string[],
    key: string,
  ): Child | undefined {
    const start = this.memory.allocate(family.cellsPerChild);
    if (start === NO_CELLS) return undefined;
    return { key, labels: labelText(family.labels, labels), start, leases: 0 };
  }

  private read(family: MetricFamily, child: Child): MetricSample {
    const values: number[] = [];
    for (let cell = child.start; cell < child.start + family.cellsPerChild; cell++) {
      values.push(family.aggregate === "max" ? this.memory.max(cell) : this.memory.sum(cell));
    }
    return { labels: child.labels, values };
  }
}
