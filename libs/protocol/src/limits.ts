import { type ErrorCode, labelCharsMax, labelEntriesMax } from '@shoal/errors';

const KiB = 1024;
const MiB = 1024 * KiB;

/** One limit: how much, of what, what to turn, what happens beyond and where that shows. */
export interface Limit {
  /** The value that holds where nobody says another. */
  readonly default: number;
  /** What it counts. */
  readonly unit:
    | 'bytes'
    | 'items'
    | 'milliseconds'
    | 'streams'
    | 'characters'
    | 'entries'
    | 'files'
    | 'connections'
    | 'jobs'
    | 'slots'
    | 'tries';
  /** The option that changes it, on the command line in kebab-case; undefined where it is the same for everybody. */
  readonly option: string | undefined;
  /** Why there is no option; undefined where there is one. */
  readonly fixedBecause: string | undefined;
  /** Whose option that is, or else who holds to it. */
  readonly of: 'coordinator' | 'agent' | 'pool';
  /** The error of what is beyond; undefined where it waits, is dropped or cut, or ends the connection. */
  readonly error: ErrorCode | undefined;
  /** Who is told, and how, where there is no error; undefined where there is one. */
  readonly told: string | undefined;
  /**
   * Where one sees that it was reached: `limits_reached` for what the coordinator counts by the name of the limit, or the
   * figure of its status that comes near it.
   */
  readonly metric:
    | 'limits_reached'
    | 'spilled_bytes'
    | 'spooled_bytes'
    | 'troubles'
    | 'unlisted_processes'
    | undefined;
  /** Who waits because of it, as `limits_waiting` counts them at any moment; undefined where nobody does, or it is not seen. */
  readonly waiting: 'jobs' | 'calls' | undefined;
  /** What it is for, and what happens beyond it. */
  readonly meaning: string;
}

type Turn = Pick<Limit, 'of' | 'option' | 'fixedBecause'>;
const coordinator = (option: string): Turn => ({ of: 'coordinator', option, fixedBecause: undefined });
const agent = (option: string): Turn => ({ of: 'agent', option, fixedBecause: undefined });
const pool = (option: string): Turn => ({ of: 'pool', option, fixedBecause: undefined });
const fixed = (fixedBecause: string): Turn => ({ of: 'coordinator', option: undefined, fixedBecause });

/** Its error; or how it is told without one. */
type Told = ErrorCode | { readonly told: string };
const told = (words: string): Told => ({ told: words });

/** Where it shows that a limit was reached, and who waits because of it. */
type Shown = Limit['metric'] | Pick<Limit, 'metric' | 'waiting'>;
const countedJobs: Shown = { metric: 'limits_reached', waiting: 'jobs' };
/** Whoever is slower than somebody else reaches it all the time, as he should: how many do at this moment is what counts. */
const waitingCalls: Shown = { metric: undefined, waiting: 'calls' };

const held = told(
  '`held by NAME (SIZE)` in the state of the job, in `shoal status` and as `held_by` of its progress',
);
const closedUnheard = told(
  'a line of text with the name, which is all that can be said before HTTP/2, and `limit.reached` in the log; our client says that the connection was reset, and that this may be why',
);

const limit = (
  value: number,
  unit: Limit['unit'],
  turn: Turn,
  error: Told,
  shown: Shown,
  meaning: string,
): Limit => ({
  default: value,
  unit,
  ...turn,
  error: typeof error === 'object' ? undefined : error,
  told: typeof error === 'object' ? error.told : undefined,
  metric: typeof shown === 'object' ? shown.metric : shown,
  waiting: typeof shown === 'object' ? shown.waiting : undefined,
  meaning,
});

/** The names of all limits. */
export type LimitName =
  | 'messageBytes'
  | 'decompressedBytes'
  | 'partBytes'
  | 'itemBytes'
  | 'resultBytes'
  | 'windowItems'
  | 'windowBytes'
  | 'payloadBytes'
  | 'spillBytes'
  | 'jobs'
  | 'requestBytes'
  | 'bundleBytes'
  | 'bundleFiles'
  | 'bundleStoreBytes'
  | 'bundleCacheBytes'
  | 'spoolBytes'
  | 'printBytes'
  | 'agentSlots'
  | 'hostBytes'
  | 'reportBytes'
  | 'listedProcesses'
  | 'labelEntries'
  | 'nameChars'
  | 'metadataBytes'
  | 'concurrentStreams'
  | 'sessionMemoryBytes'
  | 'streamWindowBytes'
  | 'connections'
  | 'connectionsPerPeer'
  | 'firstByteMs'
  | 'handshakeMs'
  | 'authenticationMs'
  | 'idleMs'
  | 'wrongTokens'
  | 'wrongTokenPeers'
  | 'joinTokens'
  | 'tokenFileBytes'
  | 'revocations'
  | 'ownerEntries'
  | 'keepaliveMs'
  | 'keepaliveTimeoutMs'
  | 'httpConnections'
  | 'httpSilentMs';

/** Every limit of the wire, in one table. */
export const limits: Readonly<Record<LimitName, Limit>> = {
  messageBytes: limit(
    4 * MiB,
    'bytes',
    coordinator('maxMessageBytes'),
    'LIMIT_REACHED',
    'limits_reached',
    'One gRPC message that the coordinator is sent. The call ends.',
  ),
  decompressedBytes: limit(
    4 * MiB,
    'bytes',
    coordinator('maxMessageBytes'),
    'LIMIT_REACHED',
    'limits_reached',
    'The same, once it is unpacked: no more of it is unpacked than this.',
  ),
  partBytes: limit(
    256 * KiB,
    'bytes',
    coordinator('partBytes'),
    told('nobody: what is bigger goes in parts, and is put together where it arrives'),
    'limits_reached',
    'The payload of one message of ours. Blocks are made about this big; a bigger one travels in parts, and is counted. The option is for what the coordinator sends. gRPC is fastest from 64 to 256 KiB.',
  ),
  itemBytes: limit(
    64 * MiB,
    'bytes',
    coordinator('maxItemBytes'),
    'ITEM_TOO_LARGE',
    'limits_reached',
    'One item, encoded. A pool has an option of the same name, and refuses it before it is sent.',
  ),
  resultBytes: limit(
    64 * MiB,
    'bytes',
    coordinator('maxResultBytes'),
    'RESULT_TOO_LARGE',
    'limits_reached',
    'One result, encoded. A pool has an option of the same name for less.',
  ),
  windowItems: limit(
    262_144,
    'items',
    pool('bufferSize'),
    held,
    countedJobs,
    'Items of a job that were pushed and are not yet acknowledged. The producer waits. Our clients count themselves, and wait before they send; what is counted is a producer that sends more than it was granted.',
  ),
  windowBytes: limit(
    32 * MiB,
    'bytes',
    coordinator('windowBytes'),
    held,
    countedJobs,
    'Items and results that the coordinator holds for a job; a single bigger one always fits. The producer waits.',
  ),
  payloadBytes: limit(
    512 * MiB,
    'bytes',
    coordinator('maxPayloadBytes'),
    held,
    countedJobs,
    'Items and results that the coordinator holds in memory, over all jobs. What is more lies on the disk, and producers wait when that fills up, too. `held_bytes` says how much it is.',
  ),
  spillBytes: limit(
    4096 * MiB,
    'bytes',
    coordinator('maxSpillBytes'),
    'NO_ROOM',
    'spilled_bytes',
    'Items and results that the coordinator holds on the disk. Producers wait before it is full; a job whose items or results find no room all the same ends.',
  ),
  jobs: limit(
    10_000,
    'jobs',
    coordinator('maxJobs'),
    'LIMIT_REACHED',
    'limits_reached',
    'Jobs known at once, those that wait and those that have ended included, until their client has taken all of it. After that up to 10,000 are known for 30 s that only say how they ended.',
  ),
  requestBytes: limit(
    256 * MiB,
    'bytes',
    coordinator('maxRequestBytes'),
    'LIMIT_REACHED',
    'limits_reached',
    'The requests of all jobs that the coordinator knows: functions as text, initArgs, environments.',
  ),
  bundleBytes: limit(
    64 * MiB,
    'bytes',
    coordinator('maxBundleBytes'),
    'LIMIT_REACHED',
    'limits_reached',
    'One bundle. It is refused by the size that it announces, before its bytes are here.',
  ),
  bundleFiles: limit(
    1,
    'files',
    fixed('a bundle is one file by its construction, whatever anybody sets'),
    'REQUEST_INVALID',
    'limits_reached',
    'Files of a bundle. It is one file, named by its SHA-256: there is nothing to unpack, and no path in it to follow.',
  ),
  bundleStoreBytes: limit(
    1024 * MiB,
    'bytes',
    coordinator('maxBundleStoreBytes'),
    'LIMIT_REACHED',
    'limits_reached',
    'All bundles together. Those that nobody needs make room, the one that was used longest ago first.',
  ),
  bundleCacheBytes: limit(
    1024 * MiB,
    'bytes',
    agent('bundleCacheBytes'),
    'BUNDLE_NOT_STORED',
    'troubles',
    'Bundles on the disk of an agent. Those that no job needs make room.',
  ),
  spoolBytes: limit(
    32 * MiB,
    'bytes',
    agent('maxSpoolBytes'),
    told('a line of its agent in `shoal status` and `shoal agents ls`, as one of its `troubles`'),
    'spooled_bytes',
    'Results that an agent keeps until the coordinator has taken them. Its processes wait.',
  ),
  printBytes: limit(
    1 * MiB,
    'bytes',
    coordinator('maxPrintBytes'),
    told('a line where they would be, with their number and the option'),
    'limits_reached',
    'Prints of a job on their way to its client. What is more is dropped, and its place is told.',
  ),
  agentSlots: limit(
    1_024,
    'slots',
    coordinator('maxAgentSlots'),
    'REQUEST_INVALID',
    'limits_reached',
    'Processes of one agent. One that claims more is not let in; work would pile up where nobody does it.',
  ),
  hostBytes: limit(
    4 * KiB,
    'bytes',
    fixed('names and versions of a machine have a tenth of it'),
    'REQUEST_INVALID',
    'limits_reached',
    'What an agent says of its machine, and as much of its release, when it joins. Lists of agents tell it.',
  ),
  reportBytes: limit(
    512 * KiB,
    'bytes',
    fixed('it is three times what an agent with as many processes as it may have has to say'),
    told('`limit.reached` in the log; the lists of the agent are as long as they may be'),
    'limits_reached',
    'What an agent says of its processes, groups and troubles in a heartbeat. What its lists have beyond is dropped: others are told of all agents.',
  ),
  listedProcesses: limit(
    1_024,
    'entries',
    fixed('every job is told of its processes with every heartbeat, however many agents there are'),
    told('`stats().unlisted` has how many more there are'),
    'unlisted_processes',
    'Processes of a pool that its client is told of. The rest are dropped from the list, and counted.',
  ),
  labelEntries: limit(
    labelEntriesMax,
    'entries',
    coordinator('maxLabels'),
    'REQUEST_INVALID',
    'limits_reached',
    'Labels of a job or an agent. Their names have letters, digits, `.`, `_`, `-` and `/`, and start with a letter or a digit; what they say is not empty and has no control characters.',
  ),
  nameChars: limit(
    labelCharsMax,
    'characters',
    fixed('clients and agents hold to it, too, before anything is sent'),
    'REQUEST_INVALID',
    'limits_reached',
    'The name of an agent, a bundle or a label, and what a label says.',
  ),
  metadataBytes: limit(
    16 * KiB,
    'bytes',
    coordinator('maxMetadataBytes'),
    'LIMIT_REACHED',
    'limits_reached',
    'The metadata of a call, names and values. Above 64 KiB HTTP/2 itself refuses the call.',
  ),
  concurrentStreams: limit(
    1000,
    'streams',
    coordinator('maxStreamsPerConnection'),
    told('`waits for other jobs of this pool` in the progress of a job'),
    'limits_reached',
    'Calls that one connection has open; at least 4. Further ones wait at the client. A pool has at most a third as many jobs with the coordinator at once, so that items, results and short calls of each have their place; further ones wait in line, as their progress says.',
  ),
  sessionMemoryBytes: limit(
    64 * MiB,
    'bytes',
    coordinator('maxSessionMemoryBytes'),
    'CONNECTION_LOST',
    'limits_reached',
    'What a connection may hold in memory, in steps of 1 MiB. Beyond it new calls are refused. Node does that by itself and tells nobody; what is counted is every call that it refuses, those whose headers are above 64 KiB among them, a moment later.',
  ),
  streamWindowBytes: limit(
    256 * KiB,
    'bytes',
    coordinator('streamWindowBytes'),
    told('nobody: whoever sends waits, and goes on when it is read'),
    waitingCalls,
    'What either side sends of a call before the other side has read it. Then it waits. The option is for what the coordinator is sent.',
  ),
  connections: limit(
    10_000,
    'connections',
    coordinator('maxConnections'),
    'CANNOT_CONNECT',
    'limits_reached',
    'Connections that are open at once. Another one is closed; its client says which limit it was.',
  ),
  connectionsPerPeer: limit(
    2_000,
    'connections',
    coordinator('maxConnectionsPerPeer'),
    'CANNOT_CONNECT',
    'limits_reached',
    'The same from one address (of IPv6: from one /64). Agents behind one router share its address.',
  ),
  firstByteMs: limit(
    10_000,
    'milliseconds',
    coordinator('firstByteMs'),
    closedUnheard,
    'limits_reached',
    'From a connection to its first byte. Then it is closed.',
  ),
  handshakeMs: limit(
    10_000,
    'milliseconds',
    coordinator('handshakeMs'),
    told(
      'the GOAWAY of HTTP/2 has the name in its data, where the handshake of TLS is done, and `limit.reached` is in the log; our client says that the connection was reset, and that this may be why',
    ),
    'limits_reached',
    'From the first byte to the end of the handshakes of TLS and HTTP/2. Then it is closed.',
  ),
  authenticationMs: limit(
    30_000,
    'milliseconds',
    coordinator('authenticationMs'),
    told(
      'the GOAWAY of HTTP/2 has the name in its data, and `limit.reached` is in the log; calls that anyone may make (health, JoinCluster) and that are still open end with `LIMIT_REACHED`; others were refused with UNAUTHENTICATED',
    ),
    'limits_reached',
    'From there to the first call of somebody who is known, by a certificate or a token. Then it is closed, so a probe that shows neither opens another one. Where it is known who else calls over it, a call of somebody unknown lasts so long.',
  ),
  idleMs: limit(
    600_000,
    'milliseconds',
    coordinator('idleMs'),
    told(
      'the GOAWAY of HTTP/2 has the name in its data; our clients open another connection with the next call',
    ),
    'limits_reached',
    'A connection without a call. Then it is closed; a client opens another one when it needs one. A pool always has a call open.',
  ),
  wrongTokens: limit(
    10,
    'tries',
    coordinator('maxWrongTokens'),
    'TOO_MANY_TRIES',
    'limits_reached',
    'Wrong tokens in a row from one address. Then no token is looked at for a second, and twice as long with each further one, five minutes at most.',
  ),
  wrongTokenPeers: limit(
    10_000,
    'entries',
    coordinator('maxWrongTokenPeers'),
    told(
      'nobody: the address that was heard of longest ago is dropped, and begins anew; whoever has more addresses could use a new one each time, anyhow',
    ),
    'limits_reached',
    'Addresses from which wrong tokens came and that are remembered, an hour each. For another one the oldest is dropped.',
  ),
  joinTokens: limit(
    1_000,
    'entries',
    coordinator('maxJoinTokens'),
    'LIMIT_REACHED',
    'limits_reached',
    'Tokens to join with that the coordinator remembers. Those that nobody can use any more make room for others.',
  ),
  tokenFileBytes: limit(
    64 * KiB,
    'bytes',
    coordinator('maxTokenFileBytes'),
    'FILE_NOT_USABLE',
    'limits_reached',
    'The token file of a coordinator. It does not start with a longer one; where one that it runs with has grown beyond, the tokens that it had stay, which its `troubles` say. That of somebody who calls has one token, and its own bound below.',
  ),
  revocations: limit(
    10_000,
    'entries',
    coordinator('maxRevocations'),
    'FILE_NOT_USABLE',
    'limits_reached',
    'Names and serial numbers in `revoked.txt`. `shoal certs revoke` puts no more on it (its own `--max-revocations` goes with that of the coordinator); a coordinator does not start with a longer one, and where it is found while it runs, the earlier list stays in force, which its `troubles` say.',
  ),
  ownerEntries: limit(
    100_000,
    'entries',
    coordinator('maxOwnerEntries'),
    told(
      'nobody: the oldest of whoever has the most is dropped; he has it again with his next job in that group, or as an agent with another session, which it opens by itself',
    ),
    'limits_reached',
    'Groups of processes, and sessions of agents, whose owners are remembered: so many of each. For another one the oldest is dropped. The owners of jobs are remembered for as long as the jobs are known, which `jobs` bounds.',
  ),
  keepaliveMs: limit(
    20_000,
    'milliseconds',
    coordinator('keepaliveMs'),
    told('nobody: a connection that is only quiet answers, and goes on'),
    'limits_reached',
    'Time after which either side of a connection asks the other for a sign of life, and again after each. Every question of the coordinator is counted.',
  ),
  keepaliveTimeoutMs: limit(
    20_000,
    'milliseconds',
    coordinator('keepaliveTimeoutMs'),
    told(
      'the GOAWAY of HTTP/2 has the name in its data, for whoever wakes up, and `limit.reached` is in the log; our clients say that the other side has gone silent',
    ),
    'limits_reached',
    'How long it waits for it. Then the connection is closed.',
  ),
  httpConnections: limit(
    64,
    'connections',
    coordinator('maxHttpConnections'),
    told('nobody: it is closed, and `limit.reached` is in the log'),
    'limits_reached',
    'Connections to the HTTP port, of `GET /metrics` and `GET /healthz`. Another one is closed. Whoever monitors asks every few seconds, over one or two.',
  ),
  httpSilentMs: limit(
    10_000,
    'milliseconds',
    coordinator('httpSilentMs'),
    told('nobody: it is closed, and `limit.reached` is in the log'),
    'limits_reached',
    'From a connection to the HTTP port to its first request, and from there to the next. Then it is closed, so whoever says nothing keeps nobody out for long.',
  ),
};
