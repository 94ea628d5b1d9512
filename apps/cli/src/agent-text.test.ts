import { AgentInfo, AgentState, Isolation } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { agentList, agentRecord, agentTroubles } from './agent-text.ts';

const agent = AgentInfo.fromPartial({
  name: 'rack2-b',
  state: AgentState.READY,
  slots: 4,
  busySlots: 1,
  labels: { gpu: 'a100', zone: 'north' },
  host: { hostname: 'rack2' },
  agent: { version: '0.1.0' },
  stats: { troubles: ['Bundle abc cannot be stored.'] },
  isolation: Isolation.CONTAINER,
});

test('agents are listed with their isolation and labels, and below them what keeps them from some of their work', () => {
  expect(agentList([agent])).toBe(
    [
      'AGENT    STATE  BUSY  HOST   VERSION  ISOLATION  LABELS',
      'rack2-b  ready  1/4   rack2  0.1.0    container  gpu=a100,zone=north',
      'rack2-b: Bundle abc cannot be stored.',
      '',
    ].join('\n'),
  );
});

test('a program reads it, too', () => {
  expect(agentRecord(agent)).toMatchObject({
    name: 'rack2-b',
    isolation: 'container',
    troubles: ['Bundle abc cannot be stored.'],
  });
});

test('below them is how processes were started that were to be forked, and why some were not', () => {
  const notForked = 'the fork server was not built on this machine (no C compiler?)';
  const starts = { spawned: 2, forked: 1_234, notForked };
  const forking = AgentInfo.fromPartial({ ...agent, stats: { starts } });
  expect(agentList([forking])).toMatch(`\nrack2-b: 1,234 processes forked, 2 spawned: ${notForked}\n`);
  expect(agentRecord(forking)).toMatchObject({ starts });
  const spawning = AgentInfo.fromPartial({ ...agent, stats: { starts: { spawned: 40 } } });
  expect(agentList([spawning])).not.toContain('spawned');
  expect(agentRecord(spawning)).toMatchObject({ starts: { spawned: 40, forked: 0, notForked: '' } });
});

test('below them is why the session of one was ended, and when', () => {
  const lastError = 'REQUEST_INVALID: its message cannot be read';
  const ended = { ...agent, lastError, lastErrorUnixMs: 1_700_000_000_123 };
  expect(agentList([ended])).toContain(
    `\nrack2-b: its session was ended at 2023-11-14T22:13:20Z: ${lastError}\n`,
  );
  expect(agentRecord(ended)).toMatchObject({ lastError, lastErrorUnixMs: 1_700_000_000_123 });
});

test('an agent that is too old to say how it isolates is not said to do anything', () => {
  const older = { ...agent, isolation: Isolation.UNSPECIFIED };
  expect(agentRecord(older)).toMatchObject({ isolation: '' });
  expect(agentList([older])).toMatch(/0\.1\.0 +gpu=a100/);
});

test.each([
  [
    'ends within a week',
    6,
    /^rack2-b: its certificate ends on \d{4}-\d\d-\d\d: shoal certs issue rack2-b --role agent/,
  ],
  ['has ended', -1, /its certificate ended on /],
  ['ends in eight days', 8, undefined],
])('a certificate that %s is told of accordingly', (_, days, line) => {
  const nowMs = Date.parse('2030-01-01');
  const dayMs = 86_400_000;
  const certified = { ...agent, stats: undefined, joinedUnixMs: nowMs - 300 * dayMs };
  const troubles = agentTroubles([{ ...certified, certificateExpiresUnixMs: nowMs + days * dayMs }], nowMs);
  if (line === undefined) expect(troubles).toEqual([]);
  else expect(troubles).toEqual([expect.stringMatching(line)]);
});

test('one that its agent renews by itself is nothing to tell', () => {
  const nowMs = Date.parse('2030-01-01');
  const certified = {
    ...agent,
    stats: undefined,
    joinedUnixMs: nowMs,
    certificateExpiresUnixMs: nowMs + 80_000_000,
  };
  expect(agentTroubles([certified], nowMs)).toEqual([]);
});
