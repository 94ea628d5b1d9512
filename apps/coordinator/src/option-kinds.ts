import type { OptionKind } from '@shoal/errors';
import { defaultServerLimits } from '@shoal/protocol';
import type { CoordinatorConfig } from './config.ts';

type OwnOption = Exclude<keyof CoordinatorConfig, keyof typeof defaultServerLimits>;

const own: Record<OwnOption, OptionKind> = {
  listen: 'string',
  tlsDir: 'string',
  tokens: 'string',
  tokenFile: 'string',
  insecure: 'boolean',
  http: 'string',
  maxHttpConnections: 'number',
  httpSilentMs: 'number',
  certificateCheckMs: 'number',
  bundleDir: 'string',
  partBytes: 'number',
  maxAgentSlots: 'number',
  maxLabels: 'number',
  maxPrintBytes: 'number',
  maxWrongTokens: 'number',
  maxJoinTokens: 'number',
  maxWrongTokenPeers: 'number',
  maxTokenFileBytes: 'number',
  maxRevocations: 'number',
  maxOwnerEntries: 'number',
  maxBundleBytes: 'number',
  maxBundleStoreBytes: 'number',
  maxItemBytes: 'number',
  maxResultBytes: 'number',
  windowBytes: 'number',
  maxPayloadBytes: 'number',
  spillDir: 'string',
  maxSpillBytes: 'number',
  ephemeralGraceMs: 'number',
  silentGraceMs: 'number',
  drainMs: 'number',
  maxJobs: 'number',
  maxRequestBytes: 'number',
  heartbeatMs: 'number',
  leaseMs: 'number',
  scheduling: 'object',
  log: 'log',
};

/** Every option of a coordinator, and what it is. */
export const optionKinds: Readonly<Record<string, OptionKind>> = {
  ...Object.fromEntries(Object.keys(defaultServerLimits).map((name) => [name, 'number' as const])),
  ...own,
};
