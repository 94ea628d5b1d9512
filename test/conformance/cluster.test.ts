/** The conformance suite over real clusters on the loopback interface: a coordinator and two agents for each pool. */
import { type Coordinator, startCoordinator } from '@shoal/coordinator';
import { type Agent, startAgent } from '@shoal/node-agent';
import { pino } from 'pino';
import { connect, type MapPool, type PoolOptions } from 'shoal';
import { failureCases } from './failures.cases.ts';
import { lifecycleCases } from './lifecycle.cases.ts';
import { resultCases } from './results.cases.ts';
import { streamCases } from './streams.cases.ts';

const log = pino({ level: 'silent' });

/** As many slots as the case wants processes, on two agents where there are two. */
function slotsOf({ processes = 2 }: PoolOptions): number[] {
  return processes === 1 ? [1] : [Math.ceil(processes / 2), Math.floor(processes / 2)];
}

async function open(options: PoolOptions = {}): Promise<MapPool> {
  // Heartbeats carry what stats() shows; a short interval makes it soon true.
  const coordinator: Coordinator = await startCoordinator({ listen: '127.0.0.1:0', heartbeatMs: 50, log });
  const agents: Agent[] = await Promise.all(
    slotsOf(options).map((processes, index) =>
      startAgent({ join: coordinator.address, name: `agent-${index + 1}`, processes, log }),
    ),
  );
  await Promise.all(agents.map(({ joined }) => joined));
  const stop = async (): Promise<void> => {
    await Promise.all(agents.map((agent) => agent.close({ drain: false })));
    await coordinator.close({ drain: false });
  };
  try {
    const pool = await connect(coordinator.address, options);
    const dispose = pool[Symbol.asyncDispose].bind(pool);
    pool[Symbol.asyncDispose] = async () => {
      await dispose();
      await stop();
    };
    return pool;
  } catch (error) {
    await stop();
    throw error;
  }
}

resultCases(open);
failureCases(open);
streamCases(open);
lifecycleCases(open);
