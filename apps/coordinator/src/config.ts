import { tmpdir } from 'node:os';
import { checkOptionKinds, checkPath, ShoalError, timerMsMax } from '@shoal/errors';
import { defaultServerLimits, limits, type ServerLimits } from '@shoal/protocol';
import type { SchedulerOptions } from '@shoal/scheduler';
import { formatAddress, isLoopback, type ListenAddress, parseListenAddress } from './listen-address.ts';
import { type Log, stderrLog } from './log.ts';
import { optionKinds } from './option-kinds.ts';
import { settleScheduling } from './scheduling-config.ts';

/** What a coordinator is started with. Everything is optional. */
export interface CoordinatorConfig extends Partial<ServerLimits> {
  /** `HOST:PORT` for gRPC. Default `127.0.0.1:7300`; port 0 takes a free one. */
  readonly listen?: string;
  /**
   * A folder with the coordinator's certificate and its authority, as `shoal certs init` makes it. Connections are
   * encrypted (TLS 1.3) then, and callers have to say who they are. The files are read again when they change.
   *
   * Default: none; only this machine may connect.
   */
  readonly tlsDir?: string;
  /**
   * The text of a token file, one `[ROLE] SECRET` a line: whoever shows a secret is let in. Default: none.
   *
   * Without `tlsDir` the secrets travel as they are: that is for loopback.
   */
  readonly tokens?: string;
  /**
   * A token file, mode 0600, in place of `tokens`: it is looked at as often as the files in `tlsDir`, and a token that was
   * taken out of it opens nothing any more, and ends the calls of its bearer. Default: none.
   */
  readonly tokenFile?: string;
  /**
   * Allow an address that other machines can reach although there is no `tlsDir`.
   *
   * Default false: whoever reaches the port could run code on every agent. It is warned of, at the start and every minute.
   */
  readonly insecure?: boolean;
  /**
   * `HOST:PORT` for HTTP, or `off`: `GET /metrics`, for Prometheus, and `GET /healthz`. It asks nobody who he is, so an
   * address that other machines reach takes `insecure`. Port 0 takes a free one.
   *
   * Default: 127.0.0.1, whatever `listen` is, at the port of `listen` + 1000; none where that port is 0 or above 64,535.
   * Where the default is taken, the coordinator warns and does without; one that was asked for is an error then.
   */
  readonly http?: string;
  /** Connections to the HTTP port, at most; another one is closed. Default 64. */
  readonly maxHttpConnections?: number;
  /** How long a connection to the HTTP port may have no request, in milliseconds; then it is closed. Default 10,000. */
  readonly httpSilentMs?: number;
  /** How often the files in `tlsDir`, the list of revoked certificates among them, and `tokenFile` are looked at. Default 5,000 ms. */
  readonly certificateCheckMs?: number;
  /** A folder that keeps pushed bundles over restarts. Default: memory only. */
  readonly bundleDir?: string;
  /** What the coordinator sends in one message, of items, results and bundles, in bytes. Default 262,144. 4,096 to 1,048,576. */
  readonly partBytes?: number;
  /** Processes of one agent, at most. Default 1,024. */
  readonly maxAgentSlots?: number;
  /** Labels of a job or an agent, at most. Default 64. */
  readonly maxLabels?: number;
  /** Bytes of prints that wait for the client of a job; what is more is dropped and counted. Default 1 MiB. */
  readonly maxPrintBytes?: number;
  /** Wrong tokens in a row from one address, until no token from there is looked at for a while. Default 10. */
  readonly maxWrongTokens?: number;
  /** Addresses from which wrong tokens came and that are remembered; the oldest makes room for another one. Default 10,000. */
  readonly maxWrongTokenPeers?: number;
  /** Bytes of `tokenFile`, at most. Default 64 KiB. */
  readonly maxTokenFileBytes?: number;
  /** Names and serial numbers in the list of revoked certificates, at most. Default 10,000. */
  readonly maxRevocations?: number;
  /** Groups of processes, and sessions of agents, whose owners are remembered: so many of each. Default 100,000. */
  readonly maxOwnerEntries?: number;
  /** Tokens to join with that are remembered; those that nobody can use any more make room for others. Default 1,000. */
  readonly maxJoinTokens?: number;
  /** Bytes of one bundle, at most. Default 64 MiB. */
  readonly maxBundleBytes?: number;
  /** Bytes of bundles kept in all, at most. Default 1 GiB. */
  readonly maxBundleStoreBytes?: number;
  /** Bytes of one item, encoded, at most. Default 64 MiB. */
  readonly maxItemBytes?: number;
  /** Bytes of one result, encoded, at most. Default 64 MiB. */
  readonly maxResultBytes?: number;
  /** Bytes of items and results held for a job, at most; one that is bigger always fits. Default 32 MiB. */
  readonly windowBytes?: number;
  /**
   * Bytes of items and results held in memory, over all jobs; what is more lies on the disk until it is needed.
   * Default 512 MiB.
   */
  readonly maxPayloadBytes?: number;
  /**
   * The folder for what has no place in memory. Default: the system's folder for temporary files.
   *
   * A private folder is made in it when it is needed first, and deleted at the end; one that a coordinator left behind
   * when it was killed is deleted at the next start.
   */
  readonly spillDir?: string;
  /**
   * Bytes of items and results on the disk, at most. Default 4 GiB.
   *
   * At three quarters of this and `maxPayloadBytes` together producers are held back. Where even that is not enough, or
   * the disk takes no more, the job that holds most ends with NO_ROOM.
   */
  readonly maxSpillBytes?: number;
  /** An ephemeral job is cancelled when no client has been connected to it for so long. Default 30,000 ms. `shoal coordinator --ephemeral-grace-ms`. */
  readonly ephemeralGraceMs?: number;
  /**
   * The same where its client did not leave but fell silent: its process is stopped, its machine suspended or cut off. It
   * was silent for 20 to 40 s by then. Default 60,000 ms, so that one minute is never too long; at least `ephemeralGraceMs`.
   * `shoal coordinator --silent-grace-ms`.
   */
  readonly silentGraceMs?: number;
  /** Jobs known at once, at most; those that have ended count until their client has taken all of it. Default 10,000. */
  readonly maxJobs?: number;
  /** Bytes of the requests of all jobs that are known, at most: functions as text, initArgs, environments. Default 256 MiB. */
  readonly maxRequestBytes?: number;
  /** How long a drain waits for the jobs that run, while an agent or a client is left. Default 30,000 ms. `shoal coordinator --drain-ms`. */
  readonly drainMs?: number;
  /**
   * How often agents say that they live. Default 2,000 ms, or a fifth of a `leaseMs` below 10,000; at most a quarter of
   * `leaseMs`. 20 to 3,600,000. `shoal coordinator --heartbeat-ms`.
   */
  readonly heartbeatMs?: number;
  /**
   * A silent agent is lost after so long. Default 10,000 ms, or five times a `heartbeatMs` above 2,000. 500 to
   * 86,400,000. `shoal coordinator --lease-ms`.
   */
  readonly leaseMs?: number;
  /** The scheduler's other numbers. Default: those of the delivery contract, moved to fit `heartbeatMs` and `leaseMs`. */
  readonly scheduling?: Partial<SchedulerOptions>;
  /** Where events are logged. Default: JSON lines on stderr. */
  readonly log?: Log;
}

/** Where HTTP answers. */
export interface HttpConfig {
  readonly address: ListenAddress;
  /** Somebody named it: where it cannot be had, the coordinator does not start. */
  readonly isAsked: boolean;
  readonly maxConnections: number;
  readonly silentMs: number;
}

/** A config with every default filled in and every value checked. */
export interface SettledConfig {
  readonly listen: ListenAddress;
  readonly tlsDir: string | undefined;
  readonly tokens: string | undefined;
  readonly tokenFile: string | undefined;
  readonly http: HttpConfig | undefined;
  /** It can be reached by others, and nothing protects it: somebody asked for that. */
  readonly isExposed: boolean;
  /** Others reach the metrics, and nothing protects those, whatever protects the rest. */
  readonly isHttpExposed: boolean;
  readonly certificateCheckMs: number;
  readonly bundleDir: string | undefined;
  /** Those of connections and calls. */
  readonly serverLimits: ServerLimits;
  readonly partBytes: number;
  readonly maxAgentSlots: number;
  readonly maxLabels: number;
  readonly maxPrintBytes: number;
  readonly maxWrongTokens: number;
  readonly maxJoinTokens: number;
  readonly maxWrongTokenPeers: number;
  readonly maxTokenFileBytes: number;
  readonly maxRevocations: number;
  readonly maxOwnerEntries: number;
  readonly maxBundleBytes: number;
  readonly maxBundleStoreBytes: number;
  readonly maxItemBytes: number;
  readonly maxResultBytes: number;
  readonly windowBytes: number;
  readonly maxPayloadBytes: number;
  readonly spillDir: string;
  readonly maxSpillBytes: number;
  readonly ephemeralGraceMs: number;
  readonly silentGraceMs: number;
  readonly maxJobs: number;
  readonly maxRequestBytes: number;
  readonly drainMs: number;
  readonly scheduling: SchedulerOptions;
  readonly log: Log;
}

/** Throws what `settleConfig` does. Nothing is started. */
export function checkConfig(config: CoordinatorConfig): void {
  settleConfig(config);
}

/** Checks a config before anything starts. Throws `INSECURE_LISTEN`, `REQUEST_INVALID`, a TypeError or a RangeError. */
export function settleConfig(config: CoordinatorConfig): SettledConfig {
  checkOptionKinds('Coordinator options', config, optionKinds);
  for (const name of ['tlsDir', 'tokenFile', 'bundleDir', 'spillDir'] as const) {
    if (config[name] !== undefined) checkPath(name, config[name]);
  }
  const listen = parseListenAddress(config.listen ?? '127.0.0.1:7300');
  const isExposed = !isLoopback(listen.host) && config.tlsDir === undefined;
  if (isExposed && config.insecure !== true) {
    throw new ShoalError('INSECURE_LISTEN', { address: formatAddress(listen) });
  }
  if (config.tokens !== undefined && config.tokenFile !== undefined) {
    throw new ShoalError('REQUEST_INVALID', { field: 'tokenFile', reason: 'is given, and so is tokens' });
  }
  const ephemeralGraceMs = positive('ephemeralGraceMs', config.ephemeralGraceMs ?? 30_000);
  const http = settleHttp(config, listen);
  return {
    listen,
    tlsDir: config.tlsDir,
    tokens: config.tokens,
    tokenFile: config.tokenFile,
    http,
    isExposed,
    isHttpExposed: http !== undefined && !isLoopback(http.address.host),
    certificateCheckMs: positive('certificateCheckMs', config.certificateCheckMs ?? 5_000),
    bundleDir: config.bundleDir,
    serverLimits: settleServerLimits(config),
    partBytes: settlePartBytes(config.partBytes ?? limits.partBytes.default),
    maxAgentSlots: positive('maxAgentSlots', config.maxAgentSlots ?? limits.agentSlots.default),
    maxLabels: positive('maxLabels', config.maxLabels ?? limits.labelEntries.default),
    maxPrintBytes: positive('maxPrintBytes', config.maxPrintBytes ?? limits.printBytes.default),
    maxWrongTokens: positive('maxWrongTokens', config.maxWrongTokens ?? limits.wrongTokens.default),
    maxJoinTokens: positive('maxJoinTokens', config.maxJoinTokens ?? limits.joinTokens.default),
    maxWrongTokenPeers: positive(
      'maxWrongTokenPeers',
      config.maxWrongTokenPeers ?? limits.wrongTokenPeers.default,
    ),
    maxTokenFileBytes: positive(
      'maxTokenFileBytes',
      config.maxTokenFileBytes ?? limits.tokenFileBytes.default,
    ),
    maxRevocations: positive('maxRevocations', config.maxRevocations ?? limits.revocations.default),
    maxOwnerEntries: positive('maxOwnerEntries', config.maxOwnerEntries ?? limits.ownerEntries.default),
    maxBundleBytes: positive('maxBundleBytes', config.maxBundleBytes ?? limits.bundleBytes.default),
    maxItemBytes: positive('maxItemBytes', config.maxItemBytes ?? limits.itemBytes.default),
    maxResultBytes: positive('maxResultBytes', config.maxResultBytes ?? limits.resultBytes.default),
    windowBytes: positive('windowBytes', config.windowBytes ?? limits.windowBytes.default),
    maxBundleStoreBytes: positive(
      'maxBundleStoreBytes',
      config.maxBundleStoreBytes ?? limits.bundleStoreBytes.default,
    ),
    maxPayloadBytes: positive('maxPayloadBytes', config.maxPayloadBytes ?? limits.payloadBytes.default),
    spillDir: config.spillDir ?? tmpdir(),
    maxSpillBytes: positive('maxSpillBytes', config.maxSpillBytes ?? limits.spillBytes.default),
    ephemeralGraceMs,
    silentGraceMs: settleSilentGrace(config.silentGraceMs, ephemeralGraceMs),
    maxJobs: positive('maxJobs', config.maxJobs ?? limits.jobs.default),
    maxRequestBytes: positive('maxRequestBytes', config.maxRequestBytes ?? limits.requestBytes.default),
    drainMs: positive('drainMs', config.drainMs ?? 30_000),
    scheduling: settleScheduling(config),
    log: config.log ?? stderrLog(),
  };
}

/** Whoever receives it has a limit for messages of its own, 4 MiB where nobody said another. */
function settlePartBytes(asked: number): number {
  if (positive('partBytes', asked, partBytes.min) <= partBytes.max) return asked;
  throw new RangeError(`partBytes must be at most ${partBytes.max}, not ${asked}.`);
}

/** Who asked for less than a client that left gets would not get it; the default rises with that. */
function settleSilentGrace(asked: number | undefined, ephemeralGraceMs: number): number {
  if (asked === undefined) return Math.max(ephemeralGraceMs, 60_000);
  if (positive('silentGraceMs', asked) >= ephemeralGraceMs) return asked;
  throw new RangeError(
    `silentGraceMs must be at least ephemeralGraceMs (${ephemeralGraceMs}), not ${asked}.`,
  );
}

/** From the port of gRPC to that of HTTP: 7300 and 8300. */
const httpPortOffset = 1_000;

function settleHttp(config: CoordinatorConfig, listen: ListenAddress): HttpConfig | undefined {
  const { http, insecure } = config;
  const maxConnections = positive(
    'maxHttpConnections',
    config.maxHttpConnections ?? limits.httpConnections.default,
  );
  const silentMs = positive('httpSilentMs', config.httpSilentMs ?? limits.httpSilentMs.default);
  if (http === 'off') return undefined;
  if (http === undefined) {
    const port = listen.port + httpPortOffset;
    // Beside a free port there may be anybody's, and nobody could know which it is.
    if (listen.port === 0 || port > 65_535) return undefined;
    return { address: { host: '127.0.0.1', port }, isAsked: false, maxConnections, silentMs };
  }
  const address = parseListenAddress(http, 'http');
  if (!isLoopback(address.host) && insecure !== true) {
    const reason = `${formatAddress(address)} is reached by other machines, and metrics ask nobody who he is; listen on 127.0.0.1, or pass --insecure if the network is private`;
    throw new ShoalError('REQUEST_INVALID', { field: '--http', reason });
  }
  return { address, isAsked: true, maxConnections, silentMs };
}

/**
 * A part with its envelope has to fit into a message, and a token into the metadata; into a connection a job with the
 * stream of its results, that of its items and a short call, beside the hold of its processes.
 */
const least: Partial<Record<keyof ServerLimits, number>> = {
  maxMessageBytes: 2 ** 20,
  maxSessionMemoryBytes: 2 ** 20,
  maxMetadataBytes: 1024,
  maxStreamsPerConnection: 4,
  streamWindowBytes: 65_535,
};
/** HTTP/2 counts no further, and the window of a connection is twice that of a call. */
const streamWindowBytesMax = 2 ** 30 - 1;
const partBytes = { min: 4_096, max: 2 ** 20 };

function settleServerLimits(config: CoordinatorConfig): ServerLimits {
  const { maxConnections = defaultServerLimits.maxConnections, maxConnectionsPerPeer } = config;
  if (maxConnectionsPerPeer !== undefined && maxConnectionsPerPeer > maxConnections) {
    const reason = `(--max-connections-per-peer) ${maxConnectionsPerPeer} is more than maxConnections (--max-connections), ${maxConnections}`;
    throw new ShoalError('REQUEST_INVALID', { field: 'maxConnectionsPerPeer', reason });
  }
  const names = Object.keys(defaultServerLimits) as (keyof ServerLimits)[];
  const settled = names.map((name) => {
    const value = positive(name, config[name] ?? defaultServerLimits[name], least[name]);
    if (name === 'streamWindowBytes' && value > streamWindowBytesMax) {
      throw new RangeError(`${name} must be at most ${streamWindowBytesMax}, not ${value}.`);
    }
    return [name, value];
  });
  return Object.fromEntries(settled) as unknown as ServerLimits;
}

function positive(name: string, value: number, from: number = 1): number {
  if (!Number.isSafeInteger(value) || value < from) {
    throw new RangeError(`${name} must be a whole number from ${from} on, not ${String(value)}.`);
  }
  if (name.endsWith('Ms') && value > timerMsMax) {
    throw new RangeError(`${name} must be at most ${timerMsMax}, not ${value}.`);
  }
  return value;
}
