/**
 * What each worker tells about itself without a message, so that it can be read while the worker hangs: a
 * row of Int32 in shared memory, written by the worker alone and read by the main thread.
 */
const BEATS = 0;
const REVISION = 1;
const CONNECTIONS = 2;
const IN_FLIGHT = 3;
/** A cache line, so that workers do not share one. */
const CELLS_PER_ROW = 16;

export interface WorkerReport {
  /** Rises with each beat of the worker's heart. */
  beats: number;
  /** The revision it serves, 0 for none. */
  revision: number;
  connections: number;
  inFlight: number;
}

export class WorkerBoard {
  readonly buffer: SharedArrayBuffer;
  private readonly cells: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.cells = new Int32Array(buffer);
  }

  static allocate(workers: number): WorkerBoard {
    return new WorkerBoard(new SharedArrayBuffer(workers * CELLS_PER_ROW * 4));
  }

  /** Called by the worker, several times a second. */
  beat(worker: number, connections: number, inFlight: number): void {
    const row = worker * CELLS_PER_ROW;
    Atomics.store(this.cells, row + CONNECTIONS, connections);
    Atomics.store(this.cells, row + IN_FLIGHT, inFlight);
    Atomics.add(this.cells, row + BEATS, 1);
  }

  setRevision(worker: number, revision: number): void {
    Atomics.store(this.cells, worker * CELLS_PER_ROW + REVISION, revision);
  }

  read(worker: number): WorkerReport {
    const row = worker * CELLS_PER_ROW;
    return {
      beats: Atomics.load(this.cells, row + BEATS),
      revision: Atomics.load(this.cells, row + REVISION),
      connections: Atomics.load(this.cells, row + CONNECTIONS),
      inFlight: Atomics.load(this.cells, row + IN_FLIGHT),
    };
  }

  /** Forgets a worker that has ended. */
  clear(worker: number): void {
    this.cells.fill(0, worker * CELLS_PER_ROW, (worker + 1) * CELLS_PER_ROW);
  }
}
