import { type Metadata, type ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js';
import { ShoalError } from '@shoal/errors';
import type { LimitListener } from './front-door.ts';
import { type LimitName, limits } from './limits.ts';
import type { ServerLimits } from './server-limits.ts';
import { type CallStatus, sentError, statusOf } from './status.ts';

/** What watches over the calls of a server: `first` stands before every other interceptor, `last` behind them. */
export interface CallLimits {
  readonly first: ServerInterceptor;
  readonly last: ServerInterceptor;
}

/** A call that ended with an error, as its caller was told. */
export interface FailedCall {
  /** Of docs/errors.md; where it has none there, the name of its gRPC status. */
  readonly code: string;
  readonly error: ShoalError;
  /** Such as `/shoal.v1.AgentService/Data`. */
  readonly path: string;
  /** `ADDRESS:PORT` of the other side. */
  readonly peer: string;
  /** The very object that its service was handed; undefined where it was not handed any. */
  readonly metadata: Metadata | undefined;
}

/** Hears of each call that ended with an error, before its service hears that it is over. */
export type FailureListener = (call: FailedCall) => void;

/** What {@link callLimits} tells the door of. */
export interface CallsListener {
  readonly onFailed: FailureListener;
  /** Somebody has reached this limit. */
  readonly onLimit: LimitListener;
  /** Whether it is known who makes a call that was let in; by the metadata that its service is handed. */
  readonly isKnown: (metadata: Metadata) => boolean;
  /** A call of somebody known, over the connection of this peer. */
  readonly onKnown: (peer: string) => void;
  /** A call that anyone may make; `end` ends it for want of a caller. Returns what hears of its end. */
  readonly onStranger: (peer: string, end: () => void) => () => void;
}

/**
 * The limits of single calls, and the count of all limits that a call ran into.
 *
 * What grpc-js ends a call with by itself passes no interceptor, so what is given here is the call at the very bottom,
 * and the method by which every call ends is taken over. (The type of an interceptor asks for a call of its own class
 * back. One more of these for every call and message would cost a few per cent; grpc-js uses its interface only.)
 */
export function callLimits(
  { authenticationMs, maxMessageBytes, maxMetadataBytes }: ServerLimits,
  { onFailed, onLimit, isKnown, onKnown, onStranger }: CallsListener,
): CallLimits {
  const first: ServerInterceptor = (method, call) => {
    const sendStatus = call.sendStatus.bind(call);
    let handed: Metadata | undefined;
    let hasEnded = false;
    call.sendStatus = (ending) => {
      // A service may end a call that grpc-js has ended already; its caller is told once.
      if (hasEnded) return;
      hasEnded = true;
      const details = String(ending.details ?? '');
      const told =
        bigMessage(details, ending.code, maxMessageBytes) ??
        unreadable(details, ending.code, method.path) ??
        ending;
      if (told.code !== status.OK) {
        const { code, error } = failureOf(told as CallStatus);
        const peer = call.getPeer();
        const limit = limitOf(error);
        if (limit !== undefined) onLimit(limit, peer);
        onFailed({ code, error, path: method.path, peer, metadata: handed });
      }
      sendStatus(told);
    };
    const start = call.start.bind(call);
    call.start = (listener) => {
      let refused = false;
      start({
        onReceiveMetadata: (metadata) => {
          const bytes = metadataBytes(metadata);
          if (bytes <= maxMetadataBytes) {
            handed = metadata;
            listener.onReceiveMetadata(metadata);
            return;
          }
          refused = true;
          call.sendStatus(
            statusOf(tooMuch('metadataBytes', 'Bytes of metadata of a call', bytes, maxMetadataBytes)),
          );
        },
        onReceiveMessage: (message) => {
          if (!refused) listener.onReceiveMessage(message);
        },
        onReceiveHalfClose: () => {
          if (!refused) listener.onReceiveHalfClose();
        },
        onCancel: () => listener.onCancel(),
      });
    };
    return call as ServerInterceptingCall;
  };
  const last: ServerInterceptor = (_method, call) => {
    const start = call.start.bind(call);
    call.start = (listener) => {
      const receive = listener.onReceiveMetadata.bind(listener);
      listener.onReceiveMetadata = (metadata) => {
        const peer = call.getPeer();
        if (isKnown(metadata)) onKnown(peer);
        else {
          // However a call ends, this is heard.
          const cancelled = listener.onCancel.bind(listener);
          const ended = onStranger(peer, () => call.sendStatus(statusOf(tooLong(authenticationMs))));
          listener.onCancel = () => {
            ended();
            cancelled();
          };
        }
        receive(metadata);
      };
      start(listener);
    };
    return call as ServerInterceptingCall;
  };
  return { first, last };
}

/** What a call carries beside its messages, as it is written down: binary values in base64. */
function metadataBytes(metadata: Metadata): number {
  let bytes = 0;
  for (const [name, values] of Object.entries(metadata.toHttp2Headers())) {
    for (const value of [values].flat()) bytes += name.length + Buffer.byteLength(String(value));
  }
  return bytes;
}

/** grpc-js says it in its own words, without the option. */
function bigMessage(details: string, code: unknown, most: number): CallStatus | undefined {
  if (code !== status.RESOURCE_EXHAUSTED) return undefined;
  if (/message that decompresses to a size larger/.test(details)) {
    return statusOf(tooMuch('decompressedBytes', 'Bytes of a message, unpacked', `more than ${most}`, most));
  }
  const [, bytes] = /Received message larger than max \((\d+)/.exec(details) ?? [];
  return bytes === undefined
    ? undefined
    : statusOf(tooMuch('messageBytes', 'Bytes of a message', Number(bytes), most));
}

/** grpc-js takes it for a fault of the server; it is one of whoever calls. */
function unreadable(details: string, code: unknown, path: string): CallStatus | undefined {
  if (code !== status.INTERNAL || !details.startsWith('Error deserializing request')) return undefined;
  const reason = 'its message cannot be read: it is not written as shoal.v1 has it';
  return statusOf(new ShoalError('REQUEST_INVALID', { field: `Request to ${path}`, reason }));
}

function tooLong(most: number): ShoalError {
  return tooMuch('authenticationMs', 'Milliseconds of a caller whom nobody knows', `more than ${most}`, most);
}

function tooMuch(limitName: LimitName, what: string, value: number | string, most: number): ShoalError {
  return new ShoalError('LIMIT_REACHED', {
    limitName,
    what,
    value,
    limit: most,
    option: `shoal coordinator --${dashed(limits[limitName].option ?? '')}`,
  });
}

const dashed = (option: string): string => option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** What a call is told, read as its caller reads it. What grpc-js ends by itself has a status and no code of ours. */
function failureOf(ending: CallStatus): Pick<FailedCall, 'code' | 'error'> {
  const error = sentError(ending);
  if (error !== undefined) return { code: error.code, error };
  const name = status[ending.code];
  return { code: name, error: new ShoalError('INTERNAL', { reason: `${name}: ${ending.details}` }) };
}

/** The limit that a call ran into, by the fact that its error has. */
function limitOf({ facts: { limitName } }: ShoalError): LimitName | undefined {
  return Object.hasOwn(limits, String(limitName)) ? (limitName as LimitName) : undefined;
}
