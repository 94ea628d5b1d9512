/** When a process that is connected to a cluster ends by itself. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Coordinator, startCoordinator } from '@shoal/coordinator';
import { type Agent, startAgent } from '@shoal/node-agent';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';

const log = pino({ level: 'silent' });
let coordinator: Coordinator;
let agent: Agent;

beforeEach(async () => {
  coordinator = await startCoordinator({ listen: '127.0.0.1:0', log });
  agent = await startAgent({ join: coordinator.address, name: 'agent-1', processes: 1, log });
  await agent.joined;
});

afterEach(async () => {
  await agent.close({ drain: false });
  await coordinator.close({ drain: false });
});

/** Runs a program of ./programs to its end; rejects where it fails or has to be killed. */
async function run(program: string): Promise<string> {
  const path = fileURLToPath(new URL(`./programs/${program}`, import.meta.url));
  const parameters = ['--conditions=@shoal/source', path, coordinator.address];
  const { stdout } = await promisify(execFile)(process.execPath, parameters, { timeout: 120_000 });
  return stdout;
}

test('a stream that was dropped does not keep it', async () => {
  expect(await run('dropped-on-cluster.ts')).toBe('0\n');
});

test('a pending map keeps it', async () => {
  expect(await run('pending-on-cluster.ts')).toBe('[300]\n');
});
