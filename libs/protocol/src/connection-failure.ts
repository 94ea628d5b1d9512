import { status } from '@grpc/grpc-js';
import { bytesText, durationText, ShoalError, timesText } from '@shoal/errors';
import { tlsComplaintIn } from './tls-failure.ts';

/** Where a call went, for the message of an error that is the connection's. */
export interface CallContext {
  /** The coordinator's address as the user gave it. */
  readonly address: string;
  /** Whether this connection has worked before: then it was lost, else it never came to be. */
  readonly connected?: boolean;
  /** How often it was tried. Default 1. */
  readonly tries?: number;
  /** How long it was tried, in milliseconds. Default 0. */
  readonly elapsedMs?: number;
}

/** What grpc-js says, and what it means. The first that matches counts. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, 'connection refused'],
  [/Name resolution failed|ENOTFOUND|EAI_AGAIN/, 'its name is unknown'],
  [/EHOSTUNREACH|ENETUNREACH/, 'no route to it'],
  [/ETIMEDOUT/, 'it does not answer'],
  [/ECONNRESET|EPIPE|socket hang up/, 'connection reset'],
  [/Protocol error|Failed to connect \(|Parse Error/, 'what listens there is no coordinator'],
  [/[Kk]eepalive|Ping timed? ?out/, 'it has gone silent'],
  [/Connection dropped|GOAWAY|Session closed|RST_STREAM/, 'connection dropped'],
  [/Deadline exceeded/, 'no answer in time'],
  [/Response message parsing error/, 'its answer cannot be read: it is damaged, or of no coordinator'],
  [/Stream refused by server/, 'it takes no further call'],
  [/shut ?down|Channel has been/, 'this client was closed'],
];

/** Why a connection failed, in plain words. What grpc-js says itself where there are none. */
function connectionReason(details: string): string {
  const known = reasons.find(([pattern]) => pattern.test(details));
  if (known !== undefined) return known[1];
  return details.split('\n', 1)[0]?.slice(0, 200) || 'unknown reason';
}

/** The same for a connection that never came to be. A coordinator that is full resets the ones too many. */
function unreachedReason(details: string): string {
  const reason = connectionReason(details);
  return reason === 'connection reset'
    ? 'connection reset; what is there may have as many connections as it takes, or has waited for the handshakes as long as it does (shoal coordinator --first-byte-ms, --handshake-ms)'
    : reason;
}

/** grpc-js says this of whatever HTTP/2 itself refused, at this end or the other, and not for which of these. */
function refusedReason(details: string): string {
  return /memory limit exceeded/.test(details)
    ? 'HTTP/2 refused a call: its connection holds as much in memory as it may (shoal coordinator --max-session-memory-bytes), or was sent headers without an end, or too much too fast'
    : details || 'a limit was reached';
}

/** The error of a call that failed without an answer of ours: by the connection, or by what listens there. */
export function connectionFailure(code: number, details: string, context: CallContext): ShoalError {
  const { address } = context;
  const complaint = tlsComplaintIn(details);
  if (complaint !== undefined) return new ShoalError('TLS_FAILED', { address, ...complaint });
  switch (code) {
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
      return context.connected
        ? lost(address, connectionReason(details))
        : new ShoalError('CANNOT_CONNECT', {
            address,
            reason: unreachedReason(details),
            tries: timesText(context.tries ?? 1),
            elapsed: durationText(context.elapsedMs ?? 0),
          });
    case status.UNIMPLEMENTED:
      return new ShoalError('VERSION_MISMATCH', {
        versions: `${address} does not know this call: it is older than this client, or no coordinator`,
        outdated: 'the coordinator',
      });
    case status.CANCELLED:
      return lost(address, 'the call was cancelled');
    case status.RESOURCE_EXHAUSTED:
      return tooLarge(details, address) ?? lost(address, refusedReason(details));
    case status.INTERNAL:
    case status.UNKNOWN:
      // A stream that was reset, a message that could not be read: nothing that the caller's request caused.
      return lost(address, connectionReason(details));
    default:
      return lost(address, `${status[code] ?? `status ${code}`}: ${details}`);
  }
}

const lost = (address: string, reason: string): ShoalError =>
  new ShoalError('CONNECTION_LOST', { address, reason });

/** The error of a message over the limit. No outage: another connection would end just the same. */
function tooLarge(details: string, address: string): ShoalError | undefined {
  const [, unpacked] = /decompresses to a size larger than (\d+)/.exec(details) ?? [];
  if (unpacked !== undefined) {
    const limit = bytesText(Number(unpacked));
    return new ShoalError('LIMIT_REACHED', {
      what: `A message from ${address}, unpacked`,
      value: `more than ${limit}`,
      limit,
      option: 'fixed for one message',
    });
  }
  const sizes = /larger than max \((\d+) vs\.? (\d+)\)/.exec(details);
  if (sizes === null) return undefined;
  return new ShoalError('LIMIT_REACHED', {
    what: `A message to or from ${address}`,
    value: bytesText(Number(sizes[1])),
    limit: bytesText(Number(sizes[2])),
    option: 'fixed for one message',
  });
}
