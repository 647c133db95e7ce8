import type { BenchContext } from "./context.ts";

/** A column of a result table. Values are numbers in the unit that the title names. */
export interface Column {
  readonly key: string;
  readonly title: string;
}

export interface Row {
  readonly label: string;
  readonly values: Readonly<Record<string, number | undefined>>;
}

export interface ScenarioResult {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** Sentences a reader of the figures must know. */
  readonly notes: readonly string[];
  /** Something that must hold does not, although there are figures. */
  readonly failure?: string | undefined;
}

export interface Scenario {
  readonly name: string;
  /** What is measured, in a line. */
  readonly title: string;
  run(context: BenchContext): Promise<ScenarioResult>;
}
