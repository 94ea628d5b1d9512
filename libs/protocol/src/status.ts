/**
 * Errors on the wire: a ShoalError is a gRPC status with a google.rpc.Status in its trailers, which holds exactly one
 * google.rpc.ErrorInfo: reason = the code, domain "shoal", metadata = the facts of the message.
 */
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { catalogue, isErrorCode, ShoalError } from '@shoal/errors';
import { errorOf } from './catalogue-error.ts';
import { type CallContext, connectionFailure } from './connection-failure.ts';
import { readFacts, writeFacts } from './facts.ts';
import { ErrorInfo } from './gen/google/rpc/error_details.ts';
import { Status } from './gen/google/rpc/status.ts';

const domain = 'shoal';
const errorInfoUrl = 'type.googleapis.com/google.rpc.ErrorInfo';
const detailsKey = 'grpc-status-details-bin';
const messageCharsMax = 2000;

/** What a call ends with. grpc-js takes it in callbacks and in `emit('error')`. */
export interface CallStatus extends Error {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/**
 * What a server ends a call with. Whatever is no ShoalError is a fault of ours: INTERNAL, with its message and without
 * its stack.
 */
export function statusOf(error: unknown): CallStatus {
  const shoal = toldError(error);
  const code = isErrorCode(shoal.code) ? status[catalogue[shoal.code].grpcStatus] : status.UNKNOWN;
  const details =
    shoal.message.length > messageCharsMax
      ? `${shoal.message.slice(0, messageCharsMax - 1)}…`
      : shoal.message;
  const info = ErrorInfo.create({ reason: shoal.code, domain, metadata: writeFacts(shoal.facts) });
  const rich = Status.create({
    code,
    message: details,
    details: [{ typeUrl: errorInfoUrl, value: ErrorInfo.encode(info).finish() }],
  });
  const metadata = new Metadata();
  metadata.set(detailsKey, Buffer.from(Status.encode(rich).finish()));
  return Object.assign(new Error(details), { code, details, metadata });
}

/** The error of a failed call: the one that the server sent, or what became of the connection. */
export function errorFromStatus(
  failed: Pick<ServiceError, 'code' | 'details' | 'metadata'>,
  context: CallContext,
): ShoalError {
  return sentError(failed) ?? connectionFailure(failed.code, failed.details ?? '', context);
}

/** The error that a server sent; undefined where the status is none of ours. */
export function sentError(failed: Pick<ServiceError, 'details' | 'metadata'>): ShoalError | undefined {
  const info = errorInfoOf(failed.metadata);
  return info && errorOf(info.reason, readFacts(info.metadata), failed.details);
}

/** The one ErrorInfo of ours; undefined where there is none, or where what is there cannot be read. */
function errorInfoOf(metadata: Metadata | undefined): ErrorInfo | undefined {
  const raw = metadata?.get(detailsKey)[0];
  if (!(raw instanceof Uint8Array)) return undefined;
  try {
    const rich = Status.decode(raw);
    for (const detail of rich.details) {
      if (detail.typeUrl !== errorInfoUrl) continue;
      const info = ErrorInfo.decode(detail.value);
      if (info.domain === domain && info.reason !== '') return info;
    }
  } catch {
    // Not ours: the plain status has to do.
  }
  return undefined;
}

/** The error that a caller is told of: whatever is no ShoalError is a fault of ours. */
export function toldError(error: unknown): ShoalError {
  if (error instanceof ShoalError) return error;
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new ShoalError('INTERNAL', { reason });
}
