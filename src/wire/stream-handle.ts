/**
 * Adapter to the stream handles inside Node: the objects that `net.Socket` wraps.
 *
 * Taking reads and writes from the handle itself spares a proxied request the stream machinery of four
 * socket operations (about 5 % of a request, see docs/adr/0002-stream-handles.md). Node has kept this
 * interface stable for years but does not promise it, so what is needed is probed once; where anything
 * is missing, `socket-transport.ts` does the same on public interfaces.
 */
import type net from "node:net";

/** The part of Node's StreamBase that is used. Results are libuv error numbers, 0 for success. */
export interface StreamHandle {
  onread: ((this: StreamHandle) => void) | null;
  readStart(): number;
  readStop(): number;
  writeLatin1String(request: WriteRequest, text: string): number;
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number;
  shutdown(request: ShutdownRequest): number;
  useUserBuffer(buffer: Uint8Array): void;
  close(callback?: () => void): void;
  getpeername?(out: { address?: string; port?: number }): number;
  getsockname?(out: { address?: string; port?: number }): number;
  setNoDelay?(on: boolean): number;
  setKeepAlive?(on: boolean, delaySeconds: number): number;
  reset?(callback?: () => void): number;
  /** Bytes that the system has not taken yet. */
  readonly writeQueueSize?: number;
  transport?: unknown;
}

export interface WriteRequest {
  oncomplete: ((this: WriteRequest, status: number) => void) | null;
  transport: unknown;
  /** Keeps the bytes alive while the system holds on to them. */
  buffer: unknown;
}

export interface ShutdownRequest {
  oncomplete: (() => void) | null;
}

interface StreamWrapBinding {
  WriteWrap: new () => WriteRequest;
  ShutdownWrap: new () => ShutdownRequest;
  streamBaseState: Int32Array;
  kReadBytesOrError: number;
  kLastWriteWasAsync: number;
}

function loadBinding(): StreamWrapBinding | null {
  if (process.env.GATEWARD_TRANSPORT === "socket") return null;
  try {
    const load = (process as unknown as { binding?: (name: string) => StreamWrapBinding }).binding;
    const binding = load?.call(process, "stream_wrap");
    if (
      binding === undefined ||
      typeof binding.WriteWrap !== "function" ||
      typeof binding.ShutdownWrap !== "function" ||
      !(binding.streamBaseState instanceof Int32Array) ||
      typeof binding.kReadBytesOrError !== "number" ||
      typeof binding.kLastWriteWasAsync !== "number"
    ) {
      return null;
    }
    return binding;
  } catch {
    return null;
  }
}

const binding = loadBinding();

/** Whether stream handles can be driven directly on this Node. */
export const handlesUsable = binding !== null;

/** Four numbers about the last read or write, written by the system before it calls back. */
export const streamState: Int32Array = binding?.streamBaseState ?? new Int32Array(8);
export const READ_RESULT: number = binding?.kReadBytesOrError ?? 0;
export const WRITE_IS_ASYNC: number = binding?.kLastWriteWasAsync ?? 3;

export function createWriteRequest(): WriteRequest {
  const request = new binding!.WriteWrap();
  request.oncomplete = null;
  request.transport = null;
  request.buffer = null;
  return request;
}

export function createShutdownRequest(): ShutdownRequest {
  return new binding!.ShutdownWrap();
}

/** The handle inside a connected socket, or null when there is none to be had. */
export function handleOf(socket: net.Socket): StreamHandle | null {
  const handle = (socket as unknown as { _handle?: StreamHandle | null })._handle;
  return handle === undefined || handle === null || typeof handle.useUserBuffer !== "function"
    ? null
    : handle;
}
