import { dirname, extname, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Log } from "../base/log/log.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import { materialFiles } from "../config/load/materials.ts";
import type { Endpoints } from "./data-plane.ts";
import {
  type EndpointSource,
  endpointsOf,
  type OpenEndpoints,
  targetHostNames,
} from "./endpoint-source.ts";
import { FileWatcher } from "./file-watcher.ts";

/** Documents that import others. */
const sourceEndings = new Set([".ts", ".mts", ".js", ".mjs"]);

export interface SurroundingsSettings {
  openEndpoints: OpenEndpoints;
  log: Log;
  /** The document, or a file it names, has another content. */
  onFileChange: () => void;
  /** Host names of the configuration in force have other addresses. */
  onEndpoints: (endpoints: Endpoints) => void;
}

/** Watches what lies around the configuration in force: its files, and the addresses of the hosts it names. */
export class ConfigSurroundings {
  private readonly settings: SurroundingsSettings;
  private readonly watcher: FileWatcher;
  private readonly endpoints: EndpointSource;
  private names: string[] = [];
  /** What workers know of the names. */
  private told: Endpoints = {};
  /** What is watched for the configuration in force. */
  private files: string[] = [];
  private sourceFolders: string[] = [];
  private isClosed = false;

  constructor(settings: SurroundingsSettings) {
    this.settings = settings;
    this.watcher = new FileWatcher({ onChange: settings.onFileChange });
    this.endpoints = settings.openEndpoints(() => this.tellEndpoints(), settings.log);
  }

  /** What was read of the document is what `fingerprint` saw. To be called before `follow`. */
  assume(file: string, fingerprint: string): void {
    this.watcher.assume(file, fingerprint);
  }

  /** The addresses for a configuration that is to be tried; `follow` or `fallBack` comes after it. */
  resolve({ config }: LoadedConfig): Promise<Endpoints> {
    return this.endpoints.resolve(targetHostNames(config));
  }

  /** This configuration is in force now, and workers know these addresses. */
  async follow(loaded: LoadedConfig, endpoints: Endpoints): Promise<void> {
    if (this.isClosed) return;
    const { file, config, policies, userPolicies } = loaded;
    const folder = dirname(file);
    this.names = targetHostNames(config);
    this.told = endpoints;
    this.endpoints.watch(this.names);
    // What has changed since they were resolved was told to nobody.
    this.tellEndpoints();
    const materials = materialFiles(config, policies).map((each) => resolve(folder, each));
    const sources = sourceEndings.has(extname(file)) ? [folder] : [];
    this.files = [file, ...materials, ...(userPolicies?.files ?? [])];
    this.sourceFolders = [...sources, ...(userPolicies?.folders ?? [])];
    await this.watcher.setFiles(this.files, this.sourceFolders);
  }

  /** These files, too, were looked at for a configuration that was refused: a change may make it fit. */
  async alsoWatch(files: readonly string[]): Promise<void> {
    if (this.isClosed) return;
    const sources = files.filter((each) => sourceEndings.has(extname(each)));
    await this.watcher.setFiles(
      [...this.files, ...files],
      [...this.sourceFolders, ...sources.map((each) => dirname(each))],
    );
  }

  /** The configuration that was tried has been refused: its names are forgotten. */
  fallBack(): void {
    if (!this.isClosed) this.endpoints.watch(this.names);
  }

  close(): void {
    this.isClosed = true;
    this.watcher.close();
    this.endpoints.dispose();
  }

  private tellEndpoints(): void {
    if (this.isClosed) return;
    const endpoints = endpointsOf(this.endpoints, this.names);
    if (isDeepStrictEqual(endpoints, this.told)) return;
    this.told = endpoints;
    this.settings.onEndpoints(endpoints);
  }
}
