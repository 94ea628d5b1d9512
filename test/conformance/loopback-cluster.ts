import { type Coordinator, startCoordinator } from '@shoal/coordinator';
import { type Agent, type AgentConfig, startAgent } from '@shoal/node-agent';
import { pino } from 'pino';
import { connect, type MapPool, type PoolOptions } from 'shoal';

const log = pino({ level: 'silent' });

/** As many slots as the case wants processes, on two agents where there are two. */
function slotsOf({ processes = 2 }: PoolOptions): number[] {
  return processes === 1 ? [1] : [Math.ceil(processes / 2), Math.floor(processes / 2)];
}

/** A pool over a cluster of its own: a coordinator and two agents on the loopback interface, which end with it. */
export async function openOnLoopback(
  options: PoolOptions = {},
  agentConfig: Partial<AgentConfig> = {},
): Promise<MapPool> {
  // Heartbeats carry what stats() shows; a short interval makes it soon true.
  const coordinator: Coordinator = await startCoordinator({ listen: '127.0.0.1:0', heartbeatMs: 50, log });
  const agents: Agent[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(agents.map((agent) => agent.close({ drain: false })));
    await coordinator.close({ drain: false });
  };
  try {
    // Before the agents: what is wrong with an option is known without them.
    const pool = await connect(coordinator.address, options);
    for (const processes of slotsOf(options)) {
      const name = `agent-${agents.length + 1}`;
      agents.push(await startAgent({ join: coordinator.address, name, processes, log, ...agentConfig }));
    }
    await Promise.all(agents.map(({ joined }) => joined));
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
