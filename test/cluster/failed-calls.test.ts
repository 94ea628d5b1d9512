/** What operators and agents are told where a call ends for what was sent in it, or for a bug of the coordinator. */
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import {
  ControlRequest,
  clientOptions,
  JobServiceService,
  type ListAgentsRequest,
  type ListAgentsResponse,
} from '@shoal/protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CoordinatorMachine } from '../../apps/coordinator/src/core/index.ts';
import { unary } from './raw-client.ts';
import { type Logged, TestCluster, until } from './test-cluster.ts';

const secret = 'canary-7c1f0e';

let cluster: TestCluster;
beforeEach(async () => {
  cluster = new TestCluster();
  await cluster.start({ heartbeatMs: 100, http: '127.0.0.1:0' });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await cluster.stop();
  expect(JSON.stringify(cluster.logged)).not.toContain(secret);
});

/** The lines of the coordinator about sessions that ended; those of the agent have `failures`. */
const disconnected = (): Logged[] =>
  cluster.events('agent.disconnected').filter((line) => line['session'] !== undefined);
const heard = (): Logged[] =>
  cluster.events('agent.disconnected').filter((line) => line['failures'] !== undefined);

/** The count of a code as monitoring reads it. */
async function failed(code: string): Promise<number> {
  const text = await (await fetch(`http://${cluster.coordinator.httpAddress}/metrics`)).text();
  const [, count] = new RegExp(`^shoal_calls_failed_total\\{code="${code}"\\} (\\d+)$`, 'm').exec(text) ?? [];
  return Number(count);
}

/** Of a session's streams one or two are told, for the second may not have been there yet. */
const ofOneSession = (calls: number): void => expect([1, 2]).toContain(calls);

/** What the cluster says of its agent once that has joined again. */
async function lastError(sessions: number): Promise<string> {
  await until(
    'it has joined again',
    () => cluster.events('agent.joined').filter(({ session }) => session === sessions).length > 0,
  );
  const { agents } = await unary<ListAgentsRequest, ListAgentsResponse>(
    (request, done) => cluster.client.cluster.listAgents(request, done),
    { pageToken: '', groupId: '' },
  );
  expect(agents).toHaveLength(1);
  expect(Math.abs((agents[0]?.lastErrorUnixMs ?? 0) - Date.now())).toBeLessThan(60_000);
  return agents[0]?.lastError ?? '';
}

test('a session that ends for an unreadable message is told of with the reason: in the log, the status, the metrics, and to its agent', async () => {
  expect(await failed('REQUEST_INVALID')).toBe(0);
  await cluster.agent({ name: 'garbled' });
  const encode = ControlRequest.encode.bind(ControlRequest);
  let garbled = 0;
  vi.spyOn(ControlRequest, 'encode').mockImplementation((message, writer) => {
    if (message.message?.$case !== 'heartbeat' || garbled > 0) return encode(message, writer);
    garbled += 1;
    // A length beyond the end of the message.
    return encode({}, writer).raw(Buffer.concat([Buffer.from([0x0a, 0x7f]), Buffer.from(secret)]));
  });
  const [line] = await until('its session ended', disconnected, (lines) => lines.length > 0);
  const why = 'its message cannot be read: it is not written as shoal.v1 has it';
  expect(line).toMatchObject({ level: 40, agent: 'garbled', code: 'REQUEST_INVALID' });
  expect(line?.msg).toContain(why);
  expect(await lastError(2)).toMatch(/^REQUEST_INVALID: .*its message cannot be read/);
  expect(heard().map(({ msg }) => msg)).toEqual([expect.stringContaining(why)]);
  ofOneSession(await failed('REQUEST_INVALID'));
  expect(cluster.events('call.failed')).toMatchObject([
    { level: 40, code: 'REQUEST_INVALID', path: '/shoal.v1.AgentService/Control', times: 1 },
  ]);
});

test('a bug that a message of an agent meets is an error of the log, with its kind and its story, and neither goes to others', async () => {
  const step = CoordinatorMachine.prototype.step;
  let thrown = 0;
  vi.spyOn(CoordinatorMachine.prototype, 'step').mockImplementation(function (
    this: CoordinatorMachine,
    event,
  ) {
    if (event.type === 'heartbeatListed' && thrown === 0) {
      thrown += 1;
      throw new TypeError('nobody thought of this');
    }
    return step.call(this, event);
  });
  await cluster.agent({ name: 'unlucky' });
  const [line] = await until('its session ended', disconnected, (lines) => lines.length > 0);
  expect(line).toMatchObject({ level: 40, agent: 'unlucky', code: 'INTERNAL' });
  expect(cluster.events('core.failed')).toMatchObject([
    {
      level: 50,
      step: 'heartbeatListed',
      stack: expect.stringContaining('TypeError: nobody thought of this'),
    },
  ]);
  const [{ story }] = cluster.events('core.failed') as unknown as [{ story: string[] }];
  expect(story.map((event) => JSON.parse(event).type)).toEqual(['joinReceived', 'heartbeatListed']);
  expect(cluster.events('coordinator.fault')).toMatchObject([{ level: 50, kind: 'Control heartbeat' }]);
  // Its agent hears that it was no fault of its own, and nothing of what others did.
  expect(await lastError(2)).toBe(
    "INTERNAL: A fault of Shoal itself: CoreFailure: the coordinator's core failed at heartbeatListed. Please report it with the lines above.",
  );
  expect(heard().map(({ msg }) => msg)).toEqual([expect.stringContaining('A fault of Shoal itself')]);
  expect(heard()[0]?.msg).not.toContain('joinReceived');
  ofOneSession(await failed('INTERNAL'));
});

test('a call of a client that ends for what it sent is told of once a second, and counted each time', async () => {
  const client = new Client(cluster.coordinator.address, credentials.createInsecure(), clientOptions);
  const { path } = JobServiceService.pushItems;
  const push = (): Promise<ServiceError> =>
    new Promise((resolve, reject) => {
      const call = client.makeClientStreamRequest(
        path,
        (bytes: Buffer) => bytes,
        (bytes) => bytes,
        (error) => (error === null ? reject(new Error('it was taken')) : resolve(error)),
      );
      call.write(Buffer.concat([Buffer.from([0x0a, 0x7f]), Buffer.from(secret)]));
    });
  for (let times = 1; times <= 3; times++) {
    expect((await push()).details).toContain('its message cannot be read');
    expect(await failed('REQUEST_INVALID')).toBe(times);
  }
  client.close();
  const lines = cluster.events('call.failed');
  expect(lines).toMatchObject([{ level: 40, code: 'REQUEST_INVALID', path, times: 1 }]);
});
