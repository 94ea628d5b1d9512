import type { ServerDuplexStream } from '@grpc/grpc-js';
import { ShoalError } from '@shoal/errors';
import {
  type AgentServiceServer,
  type ControlRequest,
  type ControlResponse,
  type DataRequest,
  type DataResponse,
  statusOf,
} from '@shoal/protocol';
import type { Gate } from '../access/gate.ts';
import type { Driver } from '../driver.ts';
import type { AgentSession, SessionStream } from './agent-session.ts';
import type { Agents } from './agents.ts';

/** The agents' two streams: what comes in is handed to the session, what goes out is written by it. */
export function agentService(agents: Agents, driver: Driver, gate: Gate | undefined): AgentServiceServer {
  return {
    control: (call: ServerDuplexStream<ControlRequest, ControlResponse>): void => {
      const stream = sessionStream(call);
      let session: AgentSession | undefined;
      read(call, stream, {
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
        over: () => session?.streamClosed(),
      });
    },
    data: (call: ServerDuplexStream<DataRequest, DataResponse>): void => {
      const stream = sessionStream(call);
      let session: AgentSession | undefined;
      read(call, stream, {
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
        over: () => session?.streamClosed(),
      });
    },
  };
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
  take(message: Request): void;
  /** The agent sends no more; the stream can still be written to. */
  inputEnded(): void;
  /** The stream is gone. */
  over(): void;
}

/** Hands over messages until the stream is over; one that cannot be handled ends it with the reason. */
function read<Request, Response>(
  call: ServerDuplexStream<Request, Response>,
  stream: SessionStream<Response>,
  reader: StreamReader<Request>,
): void {
  let failed = false;
  call.on('data', (message: Request) => {
    if (failed) return;
    try {
      reader.take(message);
    } catch (error) {
      failed = true;
      stream.fail(error);
    }
  });
  call.on('cancelled', () => reader.over());
  call.on('error', () => reader.over());
  call.on('end', () => {
    if (!failed) reader.inputEnded();
  });
}

const notFirst = (field: string): ShoalError =>
  new ShoalError('REQUEST_INVALID', { field, reason: 'is missing: it is the first message' });
