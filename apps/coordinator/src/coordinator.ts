import { performance } from 'node:perf_hooks';
import { ShoalError } from '@shoal/errors';
import {
  AccessServiceService,
  AgentServiceService,
  BundleServiceService,
  ClusterServiceService,
  createServer,
  type GetStatusResponse,
  JobServiceService,
  type LimitName,
  limits,
  ownPeer,
  type ShoalServer,
} from '@shoal/protocol';
import { PayloadStore } from '@shoal/scheduler';
import { Access } from './access/access.ts';
import { accessService } from './access/access-service.ts';
import { unlisted } from './access/access-table.ts';
import { agentService } from './agents/agent-service.ts';
import { Agents } from './agents/agents.ts';
import { bundleService } from './bundles/bundle-service.ts';
import { FolderShelf } from './bundles/bundle-shelf.ts';
import { BundleStore } from './bundles/bundle-store.ts';
import { type CoordinatorConfig, settleConfig } from './config.ts';
import { CoordinatorMachine, defaultEndedJobsMax } from './core/index.ts';
import { Driver } from './driver.ts';
import { newEpoch } from './epoch.ts';
import { Groups } from './jobs/groups.ts';
import { jobService } from './jobs/job-service.ts';
import { Jobs } from './jobs/jobs.ts';
import { dialledAddress, formatAddress } from './listen-address.ts';
import type { StoredBlock, StoredFailure, StoredRun } from './payloads/payload.ts';
import { PayloadVault } from './payloads/payload-vault.ts';
import { SpillFolder } from './payloads/spill-folder.ts';
import { clusterService } from './watch/cluster-service.ts';
import { EventFeed } from './watch/event-feed.ts';
import { RecentEvents } from './watch/event-log.ts';
import { FailedCalls } from './watch/failed-calls.ts';
import { LimitCounts } from './watch/limit-counts.ts';
import { metricsText } from './watch/metrics.ts';
import { MetricsHttp } from './watch/metrics-http.ts';
import { StallObserver } from './watch/stall-observer.ts';

/** A coordinator that runs. */
export interface Coordinator {
  /** `HOST:PORT` that it listens on, with the real port where 0 was asked for. */
  readonly address: string;
  /** `HOST:PORT` of its metrics, with the real port; undefined where it serves none. */
  readonly httpAddress: string | undefined;
  /** A snapshot of what it does. */
  status(): CoordinatorStatus;
  /**
   * Stops. With `drain` (the default) running jobs may finish for up to `drainMs` (default: that of the config) and new ones are
   * refused; where no agent and no client is left nothing is waited for. Without it everything ends at once. Called again, it stops at once. Resolves when nothing of it is left.
   */
  close(options?: { readonly drain?: boolean; readonly drainMs?: number }): Promise<void>;
}

/** What {@link Coordinator.status} shows. */
export interface CoordinatorStatus {
  readonly epoch: number;
  /** Agents that are connected. */
  readonly agents: number;
  /** Processes that they run at once. */
  readonly slots: number;
  /** Jobs that are not over. */
  readonly activeJobs: number;
  readonly queuedItems: number;
  readonly runningItems: number;
  /** Bytes of items and results held, in memory and on the disk. */
  readonly payloadBytes: number;
  /** Of these, bytes in memory. */
  readonly heldBytes: number;
  /** Bytes on the disk. */
  readonly spilledBytes: number;
  /** Connections that are open, silent ones included. */
  readonly connections: number;
  /** How often each limit was reached, by its name in docs/limits.md. */
  readonly limitsReached: Readonly<Record<string, number>>;
}

/** How long clients and agents have to read the last message before they are cut off. */
const partingMs = 2_000;

/** Starts a coordinator. Rejects with `INSECURE_LISTEN`, `FILE_NOT_USABLE`, `ADDRESS_IN_USE`, or the first bad option. */
export async function startCoordinator(config: CoordinatorConfig = {}): Promise<Coordinator> {
  const settled = settleConfig(config);
  const { heartbeatMs, leaseMs } = settled.scheduling;
  const now = (): number => performance.now();
  const epoch = newEpoch();
  const startedUnixMs = Date.now();
  const feed = new EventFeed(settled.log);
  const { ephemeralGraceMs: graceMs, maxJobs, maxRequestBytes, silentGraceMs } = settled;
  const counts = new LimitCounts(feed, now);
  const failedCalls = new FailedCalls(feed, now);
  const machine = new CoordinatorMachine(
    { epoch, maxJobs, maxRequestBytes, graceMs, silentGraceMs },
    settled.scheduling,
  );
  const vault: PayloadVault = new PayloadVault({
    maxPayloadBytes: settled.maxPayloadBytes,
    shelf: new SpillFolder(settled.spillDir, settled.maxSpillBytes),
    onTight: (isTight) => driver.step({ type: 'storageChanged', isTight }),
    onFull: (job, reason) => driver.storageFailed(job, reason),
  });
  const store = new PayloadStore<StoredRun, StoredFailure, StoredBlock>(vault);
  const access = await Access.open({
    tlsDir: settled.tlsDir,
    tokens: settled.tokens,
    tokenFile: settled.tokenFile,
    isExposed: settled.isExposed,
    isHttpExposed: settled.isHttpExposed,
    certificateCheckMs: settled.certificateCheckMs,
    maxWrongTokens: settled.maxWrongTokens,
    maxWrongTokenPeers: settled.maxWrongTokenPeers,
    maxTokenFileBytes: settled.maxTokenFileBytes,
    maxRevocations: settled.maxRevocations,
    maxOwnerEntries: settled.maxOwnerEntries,
    jobsMax: maxJobs + defaultEndedJobsMax,
    feed,
    onLimit: (limit) => counts.reached(limit),
    knowsJob: (id) => driver.jobs.has(id),
  });
  const bundles = await BundleStore.open({
    maxBundleBytes: settled.maxBundleBytes,
    maxStoreBytes: settled.maxBundleStoreBytes,
    ...(settled.bundleDir === undefined ? {} : { shelf: new FolderShelf(settled.bundleDir) }),
  });
  const log = new RecentEvents();
  const driver: Driver = new Driver({
    machine,
    log,
    store,
    vault,
    bundles,
    feed,
    now,
    lookForStall: () => stalls.look(),
    maxPrintBytes: settled.maxPrintBytes,
    address: () => dialled,
    onLimit: (limit) => counts.reached(limit),
  });
  const groups = new Groups(driver);
  const { maxAgentSlots, maxLabels, maxResultBytes, partBytes } = settled;
  const bounds = { maxAgentSlots, maxLabels, maxResultBytes, partBytes };
  const onLimit = (limit: LimitName, agent: string): void => counts.refused(limit, `agent ${agent}`);
  const agents = new Agents({ driver, vault, feed, groups, epoch, onLimit, ...bounds });
  let address = formatAddress(settled.listen);
  let dialled = dialledAddress(settled.listen);
  const jobs = new Jobs({
    driver,
    store,
    bundles,
    limits: {
      windowItems: limits.windowItems.default,
      windowBytes: settled.windowBytes,
      maxLabels,
      maxResultBytes,
    },
    address: () => dialled,
    isTight: () => vault.isTight,
    maxPayloadBytes: settled.maxPayloadBytes,
  });

  const status = (): GetStatusResponse => {
    const streamWindowBytes = server.look().waitingCalls;
    const { agents: known, jobs: active, totals } = machine.snapshot().scheduler;
    const connected = known.filter(({ state }) => state !== 'reconnecting');
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    return {
      coordinator: ownPeer,
      epoch,
      startedUnixMs,
      agents: connected.length,
      slots: sum(connected.map(({ slots }) => slots)),
      busySlots: sum(connected.map(({ slots, attempts }) => Math.min(slots, attempts))),
      activeJobs: active.length,
      queuedItems: sum(active.map(({ queued }) => queued)),
      runningItems: sum(active.map(({ running }) => running)),
      settledItems: totals.itemsSucceeded + totals.itemsFailed,
      speculatedItems: totals.itemsSpeculated,
      speculationWins: totals.speculationWins,
      protection: access.protection,
      heldBytes: vault.memoryBytes,
      spilledBytes: vault.spilledBytes,
      connections: server.connections,
      limitsReached: counts.all(),
      callsFailed: failedCalls.all(),
      maxStreamsPerConnection: settled.serverLimits.maxStreamsPerConnection,
      limitsWaiting: { ...jobs.held(), ...(streamWindowBytes === 0 ? {} : { streamWindowBytes }) },
    };
  };

  const services = [
    {
      definition: JobServiceService,
      handlers: jobService({
        driver,
        jobs,
        agents,
        groups,
        // gRPC says of a call only that it was cancelled; whether its client is gone or silent tells the connection.
        isOpen: (connection) => server.isOpen(connection),
        heartbeatMs,
        maxItemBytes: settled.maxItemBytes,
        partBytes: settled.partBytes,
      }),
    },
    {
      definition: BundleServiceService,
      handlers: bundleService(bundles, feed, partBytes, () => counts.reached('partBytes')),
    },
    {
      definition: AgentServiceService,
      handlers: agentService({ agents, driver, gate: access.gate, failedCalls }),
    },
    { definition: ClusterServiceService, handlers: clusterService({ agents, feed, status }) },
    {
      definition: AccessServiceService,
      handlers: accessService({
        certificates: access.certificates,
        gate: access.gate,
        tries: access.tries,
        maxJoinTokens: settled.maxJoinTokens,
        feed,
        hasName: (name, revocations) => agents.hasName(name, revocations),
        onRenewed: (name, untilMs) => agents.renewed(name, untilMs),
      }),
    },
  ];
  const server: ShoalServer = createServer(services, {
    interceptors: access.interceptors,
    isKnown: access.isKnown,
    limits: settled.serverLimits,
    onLimit: (limit, peer) => counts.refused(limit, peer),
    onFailed: (call) => failedCalls.failed(call),
    onSilent: (connection) => driver.step({ type: 'connectionGivenUp', connection }),
  });
  const forgotten = unlisted(server.paths);
  if (forgotten.length > 0)
    throw new ShoalError('INTERNAL', { reason: `nobody may call ${forgotten.join(', ')}` });
  const port = await server.listen(address, access.credentials).catch((error: unknown) => {
    access.stop();
    throw error;
  });
  address = formatAddress({ ...settled.listen, port });
  dialled = dialledAddress({ ...settled.listen, port });
  const text = (): string => metricsText(status(), agents.list());
  const metrics = await MetricsHttp.open(settled.http, text, feed, counts).catch(async (error: unknown) => {
    access.stop();
    await server.close(0);
    throw error;
  });
  const stalls = new StallObserver((stalledMs) => {
    const message = `the coordinator stood still for ${Math.round(stalledMs)} ms; nobody is judged for that`;
    feed.tell('coordinator.stalled', { stalledMs: Math.round(stalledMs) }, message, 'warn');
    driver.step({ type: 'stallObserved', stalledMs });
  }, now);
  feed.tell('coordinator.started', { address, epoch, heartbeatMs, leaseMs }, `listening on ${address}`);
  access.listening(address, metrics?.address);

  let hurry = (): void => {};
  let closing: Promise<void> | undefined;

  const stop = async (drain: boolean, drainMs: number): Promise<void> => {
    feed.tell('coordinator.stopping', { jobs: jobs.active().length }, 'the coordinator stops');
    jobs.close();
    server.health.setServing(false);
    if (drain) await jobs.idle(drainMs, (cut) => (hurry = cut));
    jobs.hurry();
    stalls.stop();
    agents.shutDown();
    groups.close();
    metrics?.close();
    await server.close(partingMs);
    driver.stop();
    vault.close();
    access.stop();
  };

  return {
    address,
    httpAddress: metrics?.address,
    status: () => {
      const { agents: connected, heldBytes, spilledBytes, ...rest } = status();
      const { slots, activeJobs, queuedItems, runningItems, connections, limitsReached } = rest;
      const payloadBytes = store.itemBytes + store.resultBytes;
      const bytes = { payloadBytes, heldBytes, spilledBytes };
      const work = { slots, activeJobs, queuedItems, runningItems };
      return { epoch, agents: connected, ...work, ...bytes, connections, limitsReached };
    },
    close: ({ drain = true, drainMs = settled.drainMs } = {}) => {
      if (closing !== undefined) hurry();
      closing ??= stop(drain, drainMs);
      return closing;
    },
  };
}
