import type { OptionKind } from '@shoal/errors';
import type { AgentConfig } from './config.ts';

/** Every option of an agent, and what it is. */
export const optionKinds: Readonly<Record<keyof AgentConfig, OptionKind>> = {
  join: 'string',
  name: 'string',
  tlsDir: 'string',
  token: 'string',
  insecure: 'boolean',
  processes: 'number',
  maxTasksPerChild: 'number',
  labels: 'object',
  maxRssBytes: 'number',
  startChildren: 'string',
  isolation: 'string',
  isolationUids: 'list',
  isolationImage: 'string',
  isolationMemoryBytes: 'number',
  isolationCpus: 'number',
  bundleDir: 'string',
  bundleCacheBytes: 'number',
  encodings: 'list',
  maxSpoolBytes: 'number',
  drainMs: 'number',
  log: 'log',
};
