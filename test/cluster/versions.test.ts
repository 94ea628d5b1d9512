import { once } from 'node:events';
import {
  type ClientDuplexStream,
  credentials,
  ServerCredentials,
  type ServerDuplexStream,
} from '@grpc/grpc-js';
import { startAgent } from '@shoal/node-agent';
import {
  AgentServiceClient,
  AgentServiceService,
  type ControlRequest,
  type ControlResponse,
  CreateJobRequest,
  createServer,
  type GetStatusRequest,
  type GetStatusResponse,
  Join,
  Joined,
  ownPeer,
  type Peer,
} from '@shoal/protocol';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { unary } from './raw-client.ts';
import { TestCluster } from './test-cluster.ts';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = new TestCluster();
  await cluster.start();
});
afterEach(() => cluster.stop());

const { version, protocol, oldestProtocol } = ownPeer;
/** Speaks nothing that is spoken here. */
const older: Peer = { version: '0.0.1', protocol: oldestProtocol - 1, oldestProtocol: oldestProtocol - 1 };
const newer: Peer = { version: '9.0.0', protocol: protocol + 8, oldestProtocol: protocol + 1 };
/** Of another release, but there is a protocol that both speak. */
const fitting: Peer = { version: '9.1.0', protocol: protocol + 8, oldestProtocol };

const table = {
  older: (name: string) =>
    `${name} 0.0.1 (protocol ${older.protocol}, needs ${oldestProtocol}), coordinator ${version} (protocol ${protocol})`,
  newer: (name: string) =>
    `${name} 9.0.0 (protocol ${newer.protocol}), coordinator ${version} (protocol ${protocol}, needs ${newer.oldestProtocol})`,
};

test('a client of another protocol is refused with the versions of client, coordinator and agents', async () => {
  await cluster.agent({ name: 'agent-2' });
  const { cluster: operator, jobs } = cluster.client;
  const agents = `, agent-2 ${version}`;
  await expect(unary(operator.getStatus.bind(operator), { client: older })).rejects.toMatchObject({
    code: 'VERSION_MISMATCH',
    facts: { versions: table.older('client') + agents, outdated: 'client' },
  });
  const request = CreateJobRequest.fromPartial({ client: newer });
  await expect(unary(jobs.createJob.bind(jobs), request)).rejects.toMatchObject({
    code: 'VERSION_MISMATCH',
    facts: { versions: table.newer('client') + agents, outdated: 'coordinator' },
  });
});

test('a client of another release that speaks our protocol is answered', async () => {
  const { cluster: operator } = cluster.client;
  const { coordinator } = await unary<GetStatusRequest, GetStatusResponse>(
    operator.getStatus.bind(operator),
    {
      client: fitting,
    },
  );
  expect(coordinator).toEqual(ownPeer);
});

/** An agent that joins and says who it is; the first answer, or the error that it gets. */
async function joinAs(agent: Peer): Promise<ControlResponse | Error> {
  const client = new AgentServiceClient(cluster.coordinator.address, credentials.createInsecure());
  const control: ClientDuplexStream<ControlRequest, ControlResponse> = client.control();
  const join = Join.fromPartial({ agentName: 'agent-2', instance: 'one', agent, slots: 1 });
  control.write({ message: { $case: 'join', value: join } });
  const failed = once(control, 'error').then(([error]) => error as Error);
  const answered = once(control, 'data').then(([answer]) => answer as ControlResponse);
  answered.catch(() => {});
  const first = await Promise.race([failed, answered]);
  control.on('error', () => {});
  control.cancel();
  client.close();
  return first;
}

test('an agent of another protocol is refused with both versions, one of another release joins', async () => {
  expect(await joinAs(older)).toMatchObject({
    details: `${table.older('agent-2')}. Upgrade agent-2.`,
  });
  expect(await joinAs(newer)).toMatchObject({
    details: `${table.newer('agent-2')}. Upgrade coordinator.`,
  });
  expect(await joinAs(fitting)).toMatchObject({ message: { $case: 'joined' } });
});

/** A coordinator of its own kind, that lets every agent in and says who it is. */
async function coordinatorOf(coordinator: Peer) {
  const control = (call: ServerDuplexStream<ControlRequest, ControlResponse>): void => {
    call.on('error', () => {});
    call.on('data', ({ message }: ControlRequest) => {
      if (message?.$case !== 'join') return;
      const times = { heartbeatMs: 2_000, leaseMs: 10_000, selfFenceMs: 8_000, abandonMs: 60_000 };
      const value = Joined.fromPartial({ session: 1, epoch: 1, ...times, coordinator });
      call.write({ message: { $case: 'joined', value } });
    });
  };
  const data = (call: ServerDuplexStream<unknown, unknown>): void => void call.on('error', () => {});
  const server = createServer([{ definition: AgentServiceService, handlers: { control, data } }]);
  const port = await server.listen('127.0.0.1:0', ServerCredentials.createInsecure());
  const agent = await startAgent({
    join: `127.0.0.1:${port}`,
    name: 'agent-2',
    processes: 1,
    log: pino({ level: 'silent' }),
  });
  const stop = async (): Promise<void> => {
    await agent.close({ drain: false });
    await server.close(0);
  };
  return { agent, stop };
}

test('an agent gives up on a coordinator of another protocol, and says both versions', async () => {
  const { agent, stop } = await coordinatorOf(older);
  expect(await agent.ended).toMatchObject({
    code: 'VERSION_MISMATCH',
    facts: {
      versions: `coordinator 0.0.1 (protocol ${older.protocol}, needs ${oldestProtocol}), agent ${version} (protocol ${protocol})`,
      outdated: 'coordinator',
    },
  });
  await stop();
});

test('an agent serves a coordinator of another release that speaks its protocol', async () => {
  const { agent, stop } = await coordinatorOf(fitting);
  await agent.joined;
  await stop();
});
