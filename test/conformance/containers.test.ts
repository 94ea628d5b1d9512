/** The conformance suite over containers: one coordinator and two agents for all pools, their clients outside. */
import { connect } from 'shoal';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dockerAnswers } from '../../docker/image.ts';
import { ContainerCluster } from '../e2e/cluster.testkit.ts';
import { farChapters } from './chapters.ts';
import { hold } from './specification.ts';

const available = await dockerAnswers();
if (!available) {
  const loud = 'NO DOCKER: the suite is not held against containers. REQUIRE_DOCKER=1 makes this an error.';
  if (process.env['REQUIRE_DOCKER'] === '1') throw new Error(loud);
  console.warn(loud);
}

describe.skipIf(!available)('a cluster of containers', () => {
  let cluster: ContainerCluster;

  beforeAll(async () => {
    cluster = await ContainerCluster.start(['agent-1', 'agent-2']);
  }, 120_000);
  afterAll(() => cluster?.stop());

  hold('containers', farChapters, (options) => connect(cluster.address, { ...options, tls: cluster.tls }));

  test('all agents are there at the end', async () => {
    expect(await cluster.connectedAgents()).toEqual(['agent-1', 'agent-2']);
  });
});
