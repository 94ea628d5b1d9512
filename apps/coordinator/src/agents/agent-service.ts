import type { ServerDuplexStream } from '@grpc/grpc-js';
import { ShoalError } from '@shoal/errors';
import {
  type AgentServiceServer,
  type ControlRequest,
  type ControlResponse,
  type DataRequest,
  type DataResponse,
  statusOf,
  toldError,
} from '@shoal/protocol';
import type { Gate } from '../access/gate.ts';
import type { Driver } from '../driver.ts';
import type { FailedCalls } from '../watch/failed-calls.ts';
import type { AgentSession, SessionStream } from './agent-session.ts';
import type { Agents } from './agents.ts';

/** What the {@link agentService} works with. */
export interface AgentServiceParts {
  readonly agents: Agents;
  readonly driver: Driver;
  readonly gate: Gate | undefined;
  readonly failedCalls: FailedCalls;
}

/** The agents' two streams: what comes in is handed to the session, what goes out is written by it. */
export function agentService({ agents, driver, gate, failedCalls }: AgentServiceParts): AgentServiceServer {
  return {
    control: (call: ServerDuplexStream<ControlRequest, ControlResponse>): void => {
      const stream = sessionStream(call);
      let session: AgentSession | undefined;
      read(call, stream, {
        kindOf: ({ message }) => `Control ${message?.$case ?? 'nothing'}`,
        onFault: (kind, error) => driver.fault(kind, error),
        reasonOf: () => failedCalls.reasonOf(call),
        take: ({ message }) => {
          if (message?.$case === 'join' && session === undefined)
            session = agents.join(message.value, stream, gate?.callerOf(call));
          else if (session === undefined) throw notFirst('join');
          else takeControl(agents, driver, session, message);
        },
        inputEnded: () => {
          if (session === undefined) call.end();
          else session.streamClosed();
        },
        over: (reason) => session?.streamClosed(reason),
      });
    },
    data: (call: ServerDuplexStream<DataRequest, DataResponse>): void => {
      const stream = sessionStream(call);
      let session: AgentSession | undefined;
      read(call, stream, {
        kindOf: (batch) => `Data ${kindsOf(batch).join('+') || 'nothing'}`,
        onFault: (kind, error) => driver.fault(kind, error),
        reasonOf: () => failedCalls.reasonOf(call),
        take: (batch) => {
          if (session === undefined) {
            if (batch.hello === undefined) throw notFirst('hello');
            session = agents.session(batch.hello.session, batch.hello.epoch);
            session.bindData(stream);
          }
          session.takeBatch(batch);
        },
        // The agent has no more results. It leaves on the other stream once it sees that all of them were taken;
        // the end of this one is no end of the session then.
        inputEnded: () => {
          const leaving = session;
          session = undefined;
          if (leaving === undefined) call.end();
          else leaving.dataInputEnded();
        },
        over: (reason) => session?.streamClosed(reason),
      });
    },
  };
}

/** What a message of news has, never what is in it. */
function kindsOf({ hello, prints, reports }: DataRequest): string[] {
  const has = {
    hello: hello !== undefined,
    prints: prints.length > 0,
    runs: reports.some(({ runs }) => runs.length > 0),
    failures: reports.some(({ failures }) => failures.length > 0),
    ended: reports.some(({ ended }) => ended !== undefined),
  };
  return Object.entries(has).flatMap(([kind, isThere]) => (isThere ? [kind] : []));
}

function takeControl(
  agents: Agents,
  driver: Driver,
  session: AgentSession,
  message: ControlRequest['message'],
): void {
  switch (message?.$case) {
    case 'heartbeat':
      agents.statsReported(session, message.value.stats);
      session.heartbeat(message.value);
      return;
    case 'slotsChanged':
      agents.slotsChanged(session, message.value.slots);
      return;
    case 'draining':
      driver.step({ type: 'drainRequested', agent: session.agent });
      return;
    case 'leaving':
      session.leaving();
      return;
  }
}

function sessionStream<Request, Response>(
  call: ServerDuplexStream<Request, Response>,
): SessionStream<Response> {
  return {
    write: (message, onFlushed) => call.write(message, onFlushed),
    end: () => call.end(),
    fail: (error) => call.emit('error', statusOf(error)),
  };
}

interface StreamReader<Request> {
  /** Of what kind a message is, for a line of the log. */
  kindOf(message: Request): string;
  /** A message has met a bug of ours. */
  onFault(kind: string, error: unknown): void;
  /** Why gRPC itself has ended the call; undefined where it has not. */
  reasonOf(): ShoalError | undefined;
  take(message: Request): void;
  /** The agent sends no more; the stream can still be written to. */
  inputEnded(): void;
  /** The stream is gone; with the reason where it was ended for what came on it. */
  over(reason: ShoalError | undefined): void;
}

/** Hands over messages until the stream is over; one that cannot be handled ends it with the reason. */
function read<Request, Response>(
  call: ServerDuplexStream<Request, Response>,
  stream: SessionStream<Response>,
  reader: StreamReader<Request>,
): void {
  let failed: ShoalError | undefined;
  const over = (): void => reader.over(failed ?? reader.reasonOf());
  call.on('data', (message: Request) => {
    if (failed !== undefined) return;
    try {
      reader.take(message);
    } catch (error) {
      if (!(error instanceof ShoalError)) reader.onFault(reader.kindOf(message), error);
      failed = toldError(error);
      stream.fail(error);
    }
  });
  call.on('cancelled', over);
  call.on('error', over);
  call.on('end', () => {
    if (failed === undefined) reader.inputEnded();
  });
}

const notFirst = (field: string): ShoalError =>
  new ShoalError('REQUEST_INVALID', { field, reason: 'is missing: it is the first message' });
