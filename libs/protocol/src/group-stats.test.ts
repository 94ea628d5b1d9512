import { expect, test } from 'vitest';
import { triedLimit } from '../../../test/limit-edges.ts';
import { AgentStats } from './gen/shoal/v1/cluster.ts';
import { groupStatsOf } from './group-stats.ts';
import { limits } from './limits.ts';

const agentWith = (name: string, pids: readonly number[], groupId = 'g') => ({
  name,
  stats: AgentStats.fromPartial({
    processes: pids.map((pid) => ({ pid, groupId })),
    groupLosses: [{ groupId, recycled: 2, deaths: 1, starts: { spawned: 3, forked: 0, notForked: 'no cc' } }],
  }),
});

test('the processes of a group are those of all agents, with the names of these', () => {
  const { processes, ...sums } = groupStatsOf(
    [agentWith('a', [1, 2]), { name: 'new' }, agentWith('b', [3]), agentWith('c', [4], 'another')],
    'g',
  );
  expect(processes.map(({ agent, pid }) => `${agent} ${pid}`)).toEqual(['a 1', 'a 2', 'b 3']);
  expect(sums).toEqual({
    recycled: 4,
    deaths: 2,
    starts: { spawned: 6, forked: 0, notForked: 'a: no cc' },
    unlistedProcesses: 0,
  });
});

test.each([
  { there: 1_023, listed: 1_023, unlisted: 0 },
  { there: 1_024, listed: 1_024, unlisted: 0 },
  { there: 1_025, listed: 1_024, unlisted: 1 },
])('of $there processes $listed are listed, and $unlisted counted', (each) => {
  triedLimit('listedProcesses', each.there, limits.listedProcesses.default);
  const pids = Array.from({ length: each.there }, (_, at) => at + 1);
  const half = Math.floor(each.there / 2);
  const told = groupStatsOf([agentWith('a', pids.slice(0, half)), agentWith('b', pids.slice(half))], 'g');
  expect(told.processes).toHaveLength(each.listed);
  expect(told.unlistedProcesses).toBe(each.unlisted);
});
