/** Clocks that are set while work runs: leases, deadlines and backoffs go by the monotonic clock, which nobody sets. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { until } from '../cli/command.testkit.ts';
import { ChaosCluster, expected, shortTimes } from './chaos-cluster.ts';

const jumping = ['--import', fileURLToPath(new URL('jumping-clock.ts', import.meta.url))];

test('the clocks of coordinator, agents and client jump by an hour and back: nobody notices', async () => {
  await using cluster = await ChaosCluster.start({
    agents: ['one', 'two'],
    times: shortTimes,
    execArgv: jumping,
  });
  const client = cluster.client({ count: 120, ms: 50 });
  const everybody = [cluster.coordinator, ...cluster.agents.values(), client];
  for (const jumps of [1, 2, 3]) {
    await cluster.started(jumps * 20);
    for (const service of everybody) {
      service.signal('SIGUSR2');
      const jumped = (): number => service.stdout.split('clock jumped').length - 1;
      await until(
        'its clock has jumped',
        () => jumped() === jumps || undefined,
        () => service.story(),
      );
    }
  }
  expect(await client.ended, client.story()).toBe(0);
  const results = client.stdout.split('\n').find((line) => line.startsWith('['));
  expect(JSON.parse(results ?? '')).toEqual(expected(cluster.orders(120, 0)));
  expect(cluster.book.starts(120)).toEqual(Array.from({ length: 120 }, () => 1));
  const alarms = ['agent.lost', 'agent.disconnected', 'attempt.unconfirmed', 'coordinator.stalled'];
  expect(alarms.flatMap((event) => cluster.coordinator.events(event))).toEqual([]);
  await cluster.leaksNothing();
});
