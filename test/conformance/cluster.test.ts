/** The conformance suite over a real cluster on the loopback interface: a coordinator and two agents. */
import { type Coordinator, startCoordinator } from '@shoal/coordinator';
import { type Agent, startAgent } from '@shoal/node-agent';
import { pino } from 'pino';
import { connect } from 'shoal';
import { afterAll, beforeAll } from 'vitest';
import { failureCases } from './failures.cases.ts';
import { lifecycleCases } from './lifecycle.cases.ts';
import type { OpenPool } from './pool-under-test.ts';
import { resultCases } from './results.cases.ts';
import { streamCases } from './streams.cases.ts';

const log = pino({ level: 'silent' });
let coordinator: Coordinator;
let agents: readonly Agent[] = [];

beforeAll(async () => {
  // Heartbeats carry what stats() shows; a short interval makes it soon true.
  coordinator = await startCoordinator({ listen: '127.0.0.1:0', heartbeatMs: 100, log });
  agents = await Promise.all(
    [1, 2].map((n) => startAgent({ join: coordinator.address, name: `agent-${n}`, processes: 2, log })),
  );
  await Promise.all(agents.map(({ joined }) => joined));
});

afterAll(async () => {
  await Promise.all(agents.map((agent) => agent.close({ drain: false })));
  await coordinator?.close({ drain: false });
});

const open: OpenPool = (options) => connect(coordinator.address, options);

resultCases(open);
failureCases(open);
streamCases(open);
lifecycleCases(open);
