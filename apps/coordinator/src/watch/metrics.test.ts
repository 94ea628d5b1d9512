import { AgentInfo, GetStatusResponse, Isolation, limits, ownPeer, Protection } from '@shoal/protocol';
import { expect, test } from 'vitest';
import { metricsText } from './metrics.ts';

const status = (partial: Partial<GetStatusResponse> = {}): GetStatusResponse =>
  GetStatusResponse.fromPartial({ coordinator: ownPeer, epoch: 1, startedUnixMs: 5_000, ...partial });

/** Every value by its name and labels. */
function valuesOf(text: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );
}

test('it is text that Prometheus reads: help, type and values of each metric', () => {
  const lines = metricsText(status({ agents: 2 }), []).split('\n');
  expect(lines.slice(3, 6)).toEqual([
    '# HELP shoal_agents Agents that are connected.',
    '# TYPE shoal_agents gauge',
    'shoal_agents 2',
  ]);
  expect(lines.at(-1)).toBe('');
  for (const line of lines.slice(0, -1)) {
    expect(line).toMatch(/^(# (HELP|TYPE) shoal_\w+ .+|shoal_\w+(\{\w+="\w+"\})? -?[\d.e+]+)$/);
  }
});

test('every limit that is counted is there from the start, and says how often it was reached', () => {
  const values = valuesOf(metricsText(status({ limitsReached: { jobs: 3 } }), []));
  const counted = Object.entries(limits).filter(([, { metric }]) => metric === 'limits_reached');
  for (const [name] of counted) {
    expect(values[`shoal_limits_reached_total{limit="${name}"}`], name).toBe(name === 'jobs' ? 3 : 0);
  }
});

test('certificates say when they expire, of agents the one that does first; without any nothing is said', () => {
  const protection = Protection.fromPartial({
    certificateExpiresUnixMs: 9_000,
    authorityExpiresUnixMs: 99_000,
  });
  const agents = [0, 7_000, 8_000].map((certificateExpiresUnixMs) =>
    AgentInfo.fromPartial({ name: 'secret-name', certificateExpiresUnixMs }),
  );
  const text = metricsText(status({ protection }), agents);
  const name = 'shoal_certificate_expires_timestamp_seconds';
  expect(valuesOf(text)).toMatchObject({
    [`${name}{of="coordinator"}`]: 9,
    [`${name}{of="authority"}`]: 99,
    [`${name}{of="agents"}`]: 7,
  });
  expect(text).not.toContain('secret-name');
  expect(metricsText(status(), [])).not.toContain(name);
});

test('agents are counted by how they keep processes apart', () => {
  const agents = [Isolation.USER, Isolation.USER, Isolation.PROCESS, Isolation.UNSPECIFIED].map((isolation) =>
    AgentInfo.fromPartial({ isolation }),
  );
  expect(valuesOf(metricsText(status(), agents))).toMatchObject({
    'shoal_agents_isolated{isolation="process"}': 1,
    'shoal_agents_isolated{isolation="permission"}': 0,
    'shoal_agents_isolated{isolation="user"}': 2,
    'shoal_agents_isolated{isolation="container"}': 0,
  });
});

test('every limit that somebody may wait for is there from the start, and says how many do', () => {
  const values = valuesOf(metricsText(status({ limitsWaiting: { windowBytes: 2 } }), []));
  const waiting = Object.keys(values).filter((name) => name.startsWith('shoal_limits_waiting'));
  expect(Object.fromEntries(waiting.map((name) => [name, values[name]]))).toEqual({
    'shoal_limits_waiting{limit="windowItems"}': 0,
    'shoal_limits_waiting{limit="windowBytes"}': 2,
    'shoal_limits_waiting{limit="payloadBytes"}': 0,
    'shoal_limits_waiting{limit="streamWindowBytes"}': 0,
  });
});
