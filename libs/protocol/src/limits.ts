import type { ErrorCode } from '@shoal/errors';

const KiB = 1024;
const MiB = 1024 * KiB;

/** One limit: how much, of what, what to turn and what happens beyond. */
export interface Limit {
  /** The value that holds where nobody says another. */
  readonly default: number;
  /** What it counts. */
  readonly unit: 'bytes' | 'items' | 'milliseconds' | 'streams' | 'characters' | 'entries';
  /** The option that changes it, on the command line in kebab-case; undefined where the wire fixes it. */
  readonly option: string | undefined;
  /** The error of what is beyond; undefined where it waits, is cut, or ends the connection. */
  readonly error: ErrorCode | undefined;
  /** What it is for. */
  readonly meaning: string;
}

const limit = (
  value: number,
  unit: Limit['unit'],
  option: string | undefined,
  error: ErrorCode | undefined,
  meaning: string,
): Limit => ({ default: value, unit, option, error, meaning });

/** The names of all limits. */
export type LimitName =
  | 'messageBytes'
  | 'partBytes'
  | 'itemBytes'
  | 'resultBytes'
  | 'windowItems'
  | 'windowBytes'
  | 'payloadBytes'
  | 'spillBytes'
  | 'requestBytes'
  | 'bundleBytes'
  | 'labelEntries'
  | 'nameChars'
  | 'concurrentStreams'
  | 'sessionMemoryBytes'
  | 'keepaliveMs'
  | 'keepaliveTimeoutMs';

/** Every limit of the wire, in one table. */
export const limits: Readonly<Record<LimitName, Limit>> = {
  messageBytes: limit(
    4 * MiB,
    'bytes',
    undefined,
    undefined,
    'One gRPC message. A peer that sends a bigger one loses the call (RESOURCE_EXHAUSTED).',
  ),
  partBytes: limit(
    256 * KiB,
    'bytes',
    undefined,
    undefined,
    'The payload of one message. Blocks are made about this big; a bigger one travels in parts. gRPC is fastest from 64 to 256 KiB.',
  ),
  itemBytes: limit(64 * MiB, 'bytes', 'maxItemBytes', 'ITEM_TOO_LARGE', 'One item, encoded.'),
  resultBytes: limit(64 * MiB, 'bytes', 'maxResultBytes', 'RESULT_TOO_LARGE', 'One result, encoded.'),
  windowItems: limit(
    100_000,
    'items',
    'bufferSize',
    undefined,
    'Items of a job that were pushed and are not yet acknowledged. The producer waits.',
  ),
  windowBytes: limit(
    32 * MiB,
    'bytes',
    undefined,
    undefined,
    'Items and results that the coordinator holds for a job; a single bigger one always fits. The producer waits.',
  ),
  payloadBytes: limit(
    512 * MiB,
    'bytes',
    'maxPayloadBytes',
    undefined,
    'Items and results that the coordinator holds in memory, over all jobs. What is more lies on the disk.',
  ),
  spillBytes: limit(
    4096 * MiB,
    'bytes',
    'maxSpillBytes',
    'NO_ROOM',
    'Items and results that the coordinator holds on the disk. Producers wait before it is full.',
  ),
  requestBytes: limit(
    256 * MiB,
    'bytes',
    'maxRequestBytes',
    'LIMIT_REACHED',
    'The requests of all jobs that the coordinator knows: functions as text, initArgs, environments.',
  ),
  bundleBytes: limit(64 * MiB, 'bytes', 'maxBundleBytes', 'LIMIT_REACHED', 'One bundle.'),
  labelEntries: limit(64, 'entries', undefined, 'REQUEST_INVALID', 'Labels of a job or an agent.'),
  nameChars: limit(
    100,
    'characters',
    undefined,
    'REQUEST_INVALID',
    'The name of an agent, a bundle or a label.',
  ),
  concurrentStreams: limit(
    1000,
    'streams',
    undefined,
    undefined,
    'Calls that one connection has open. Further ones wait at the client.',
  ),
  sessionMemoryBytes: limit(
    64 * MiB,
    'bytes',
    undefined,
    undefined,
    'What a connection may hold in memory. Beyond it new calls are refused.',
  ),
  keepaliveMs: limit(
    20_000,
    'milliseconds',
    undefined,
    undefined,
    'Silence after which either side of a connection asks for a sign of life.',
  ),
  keepaliveTimeoutMs: limit(
    20_000,
    'milliseconds',
    undefined,
    undefined,
    'How long it waits for it. Then the connection is closed.',
  ),
};
