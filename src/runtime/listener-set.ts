import type { DeadlineWheel } from "../base/deadline-wheel.ts";
import type { Gauge } from "../base/metrics/metric-view.ts";
import { TrustedAddresses } from "../base/trusted-addresses.ts";
import type { ListenerConfig } from "../config/config.ts";
import type { ProxyRuntime } from "../proxy/proxy-runtime.ts";
import type { HeadLimits } from "../wire/http1/parse-request-head.ts";
import { Http2Server } from "../wire/http2/server.ts";
import type { ServerContext, ServerTimeouts } from "../wire/server-context.ts";
import { TlsAcceptor } from "../wire/tls/tls-acceptor.ts";
import { tlsServerOptions } from "../wire/tls/tls-server-options.ts";
import type { DataPlaneContext, DataPlanePayload } from "./data-plane.ts";
import { Listener, peerOf } from "./listener.ts";
import type { ConnectionGate, ListenerBehavior } from "./listener.ts";
import { makeRoomForSocket } from "./socket-file.ts";

/** What all listeners take over with a revision. */
export interface ListenerSettings {
  limits: HeadLimits;
  timeouts: ServerTimeouts;
  connectionRequestsMax: number;
}

interface Prepared {
  listener: Listener;
  behavior: ListenerBehavior;
  isNew: boolean;
}

const NO_LIMITS: HeadLimits = { headBytesMax: 0, uriBytesMax: 0, fieldCountMax: 0 };
const NO_TIMEOUTS: ServerTimeouts = { headMs: 0, idleMs: 0, bodyMs: 0, writeMs: 0 };

/** The listeners of one worker, by key. A listener that stays in the config keeps its socket and connections. */
export class ListenerSet {
  private readonly wheel: DeadlineWheel;
  private readonly proxy: ProxyRuntime;
  private readonly gate: ConnectionGate;
  private readonly context: DataPlaneContext;
  private readonly current: Map<string, Listener>;
  /** Removed from the config; their last connections are ending. */
  private readonly leaving: Set<Listener>;
  private prepared: Map<string, Prepared>;

  constructor(
    wheel: DeadlineWheel,
    proxy: ProxyRuntime,
    gate: ConnectionGate,
    context: DataPlaneContext,
  ) {
    this.wheel = wheel;
    this.proxy = proxy;
    this.gate = gate;
    this.context = context;
    this.current = new Map();
    this.leaving = new Set();
    this.prepared = new Map();
  }

  get connectionCount(): number {
    let count = 0;
    for (const listener of this.current.values()) count += listener.connectionCount;
    for (const listener of this.leaving) count += listener.connectionCount;
    return count;
  }

  get hasUnsent(): boolean {
    for (const listener of this.current.values()) if (listener.hasUnsent) return true;
    for (const listener of this.leaving) if (listener.hasUnsent) return true;
    return false;
  }

  /** Binds what is new and makes ready what changes. Rejects with a readable error, having undone all. */
  async prepare(payload: DataPlanePayload, gaugeOf: (key: string) => Gauge): Promise<void> {
    const prepared = new Map<string, Prepared>();
    this.prepared = prepared;
    try {
      for (const config of payload.config.listen) {
        if (!this.isMine(config)) continue;
        const known = this.current.get(config.key);
        const listener = known ?? this.create(config, gaugeOf(config.key));
        const behavior = this.behavior(listener, config, payload);
        prepared.set(config.key, { listener, behavior, isNew: known === undefined });
        if (known === undefined) await this.bind(listener);
      }
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  /** A Unix socket cannot be shared the way a port can: the first worker has it. */
  private isMine({ path }: ListenerConfig): boolean {
    return path === undefined || this.context.workerIndex === 0;
  }

  private create(config: ListenerConfig, gauge: Gauge): Listener {
    const { key, host, port, path } = config;
    const server: ServerContext = {
      key,
      localPort: port,
      wheel: this.wheel,
      exchanges: this.proxy,
      limits: NO_LIMITS,
      timeouts: NO_TIMEOUTS,
      connectionRequestsMax: 0,
      draining: false,
    };
    const idle: ListenerBehavior = {
      tls: null,
      http2: null,
      proxyProtocol: null,
      proxyHeaderTimeoutMs: 0,
    };
    return new Listener({ key, host, port, path }, server, idle, this.gate, gauge);
  }

  private async bind(listener: Listener): Promise<void> {
    const { path, key } = listener.address;
    try {
      if (path !== undefined) await makeRoomForSocket(path);
      await listener.bind(path === undefined && this.context.workerCount > 1);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new Error(`cannot listen on ${key}: ${explain(code, path) ?? message}`, {
        cause: error,
      });
    }
  }

  private behavior(
    listener: Listener,
    config: ListenerConfig,
    payload: DataPlanePayload,
  ): ListenerBehavior {
    const { limits, timeouts } = payload.config;
    const { tls, proxyProtocol } = config;
    return {
      tls: tls === undefined ? null : this.acceptor(tls, config.http2, payload),
      http2: config.http2
        ? new Http2Server(
            listener.context,
            { streamsMax: limits.streams, resetStreamsMax: limits.resetStreams },
            listener,
          )
        : null,
      proxyProtocol: proxyProtocol === false ? null : new TrustedAddresses(proxyProtocol.trusted),
      proxyHeaderTimeoutMs: timeouts.headMs,
    };
  }

  private acceptor(
    tls: NonNullable<ListenerConfig["tls"]>,
    http2: boolean,
    payload: DataPlanePayload,
  ): TlsAcceptor {
    const { log } = this.context;
    const { options } = tlsServerOptions(tls, {
      materials: payload.materials,
      ticketKeys: this.context.shared.ticketKeys,
      http2,
      handshakeTimeoutMs: payload.config.timeouts.tlsHandshakeMs,
    });
    return new TlsAcceptor(
      options,
      (socket) => {
        const peer = peerOf(socket);
        if (peer === undefined) socket.destroy();
        else peer.listener.onSecure(socket, peer.address, peer.port);
      },
      (error, socket) => {
        const peer = peerOf(socket);
        if (peer === undefined) return;
        const { listener, address } = peer;
        const reason = error.code ?? error.message;
        log.debug("TLS handshake failed", {
          listener: listener.address.key,
          client: address,
          reason,
        });
        listener.onInsecure();
      },
    );
  }

  /** Takes over what was prepared. */
  commit(settings: ListenerSettings): void {
    for (const [key, listener] of this.current) {
      if (this.prepared.has(key)) continue;
      this.current.delete(key);
      this.leaving.add(listener);
      listener.drain();
    }
    for (const [key, { listener, behavior, isNew }] of this.prepared) {
      listener.context.limits = settings.limits;
      listener.context.timeouts = settings.timeouts;
      listener.context.connectionRequestsMax = settings.connectionRequestsMax;
      listener.replaceBehavior(behavior);
      this.current.set(key, listener);
      if (isNew) listener.start();
    }
    this.prepared = new Map();
    for (const listener of this.leaving) {
      if (listener.connectionCount === 0) this.leaving.delete(listener);
    }
  }

  abort(): void {
    for (const { listener, isNew } of this.prepared.values()) if (isNew) listener.destroy();
    this.prepared = new Map();
  }

  drain(): void {
    for (const listener of this.current.values()) listener.drain();
  }

  destroy(): void {
    for (const listener of [...this.current.values(), ...this.leaving]) listener.destroy();
  }
}

function explain(code: string | undefined, path: string | undefined): string | undefined {
  switch (code) {
    case "EADDRINUSE":
      return "the address is in use by another process";
    case "EACCES":
      if (path !== undefined) return "this user may not create a file there";
      return "this user may not use the address; ports below 1024 need a privilege";
    case "EADDRNOTAVAIL":
      return "the machine does not have this address";
    default:
      return undefined;
  }
}
