import { connect, type MapPool, Pool } from 'shoal';
import { expect, onTestFinished, test } from 'vitest';
import { Service } from '../chaos/service.ts';
import { Allocations, countedIncrement } from './item-objects-work.ts';

const count = 500_000;
// A number that is an object has 16 bytes, an empty object 24 or more, a promise 56.
const childMax = 12;
// The list of results has eight bytes for each; buffers, messages and their events are objects, too, and many items share them.
const callerMax = 20;
const coordinatorMax = 12;
const agentMax = 12;
const clientMax = 28;

const items = Array.from({ length: count }, (_, index) => index);
const work = new URL('./item-objects-work.ts', import.meta.url);
const options = { export: countedIncrement.name };

const probe = new URL('./allocation-probe.ts', import.meta.url).href;

/** What is done to count the objects of other processes, too. */
interface Others {
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** Bytes of objects for an item: in this process, and in the child. */
async function bytesAnItem(pool: MapPool, others?: Others): Promise<{ here: number; child: number }> {
  // Twice, for what is compiled and loaded on the way is not an item's.
  await pool.map(work, items, options);
  await others?.begin();
  const allocations = new Allocations();
  const results = await pool.map(work, items, options);
  const here = allocations.stop() / count;
  await others?.end();
  expect(results[count - 2]).toBe(count - 1);
  return { here, child: Number(results[count - 1]) / count };
}

test('no item has an object of its own between caller and child, on one machine', async () => {
  await using pool = new Pool({ processes: 1 });
  const { child, here } = await bytesAnItem(pool);
  expect(here).toBeLessThan(callerMax);
  expect(child).toBeLessThan(childMax);
});

/** A command whose objects are counted. */
function counted(...args: string[]): Service {
  const service = Service.start({ args, env: { NODE_OPTIONS: `--import ${probe}` } });
  onTestFinished(() => service.kill());
  return service;
}

test('nor has it one in a client, in a coordinator, in an agent, or in the child there', async () => {
  const coordinator = counted('coordinator', '--listen', '127.0.0.1:0');
  const address = String((await coordinator.event('coordinator.started', 60_000))['address']);
  const agent = counted('agent', '--join', address, '--processes', '1');
  await coordinator.event('agent.joined', 60_000);
  const each = (event: string): Promise<number[]> =>
    Promise.all(
      [coordinator, agent].map(async (service) => {
        service.signal('SIGUSR2');
        return Number((await service.event(event, 60_000))['bytes']) / count;
      }),
    );
  let bytes: number[] = [];
  await using pool = await connect(address);
  const { child, here } = await bytesAnItem(pool, {
    begin: async () => {
      await each('allocations.begun');
    },
    end: async () => {
      bytes = await each('allocations.counted');
    },
  });
  const [ofCoordinator, ofAgent] = bytes;
  expect(here, 'in the client').toBeLessThan(clientMax);
  expect(ofCoordinator, 'in the coordinator').toBeLessThan(coordinatorMax);
  expect(ofAgent, 'in the agent').toBeLessThan(agentMax);
  expect(child, 'in the child').toBeLessThan(childMax);
});
