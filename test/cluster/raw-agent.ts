import type { ClientDuplexStream } from '@grpc/grpc-js';
import {
  type AgentServiceClient,
  type AttemptReport,
  type ControlRequest,
  type ControlResponse,
  type DataRequest,
  type DataResponse,
  type Dispatch,
  Join,
  ownPeer,
} from '@shoal/protocol';

/** Both streams of an agent that runs nothing. */
export interface RawAgent {
  readonly control: ClientDuplexStream<ControlRequest, ControlResponse>;
  readonly data: ClientDuplexStream<DataRequest, DataResponse>;
}

/** An agent of one process that joins, and answers to the first work of each message with whatever it is told to say. */
export function joinRaw(
  agents: AgentServiceClient,
  agentName: string,
  reportsOn: (given: Dispatch) => readonly AttemptReport[],
): RawAgent {
  const control = agents.control();
  const data = agents.data();
  let sequence = 0;
  control.on('data', ({ message }: ControlResponse) => {
    if (message?.$case !== 'joined') return;
    const { epoch, session } = message.value;
    data.write({ hello: { session, epoch }, sequence, reports: [], prints: [] });
  });
  data.on('data', ({ dispatches: [given] }: DataResponse) => {
    if (given === undefined) return;
    sequence += 1;
    data.write({ sequence, reports: [...reportsOn(given)], prints: [] });
  });
  const join = Join.fromPartial({ agentName, instance: 'raw', slots: 1, agent: ownPeer });
  control.write({ message: { $case: 'join', value: join } });
  return { control, data };
}
