import { AgentInfo, AgentState } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { agentList, agentRecord } from './agent-text.ts';

const agent = AgentInfo.fromPartial({
  name: 'rack2-b',
  state: AgentState.READY,
  slots: 4,
  busySlots: 1,
  labels: { gpu: 'a100', zone: 'north' },
  host: { hostname: 'rack2' },
  agent: { version: '0.1.0' },
  stats: { troubles: ['Bundle abc cannot be stored.'] },
});

test('agents are listed with their labels, and below them what keeps them from some of their work', () => {
  expect(agentList([agent])).toBe(
    [
      'AGENT    STATE  BUSY  HOST   VERSION  LABELS',
      'rack2-b  ready  1/4   rack2  0.1.0    gpu=a100,zone=north',
      'rack2-b: Bundle abc cannot be stored.',
      '',
    ].join('\n'),
  );
});

test('a program reads it, too', () => {
  expect(agentRecord(agent)).toMatchObject({ name: 'rack2-b', troubles: ['Bundle abc cannot be stored.'] });
});
