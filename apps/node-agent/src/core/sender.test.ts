import { expect, test } from 'vitest';
import { only, TestAgent } from './agent-machine.testkit.ts';

/** Attempts 3 and 4 run as chunks 1 and 2, and a first batch has just left. */
function busy(): TestAgent {
  const agent = TestAgent.joined();
  agent.announce();
  agent.dispatch(3);
  agent.dispatch(4);
  agent.values(1);
  agent.granted();
  return agent;
}

test('the first news after a while wait for nothing', () => {
  const agent = busy();
  agent.after(2);
  expect(only(agent.values(1), 'requestSend')).toHaveLength(1);
});

test('news that follow sooner are gathered for a moment', () => {
  const agent = busy();
  expect(only(agent.values(1), 'requestSend')).toEqual([]);
  expect(only(agent.values(2), 'requestSend')).toEqual([]);
  expect(agent.machine.nextDeadlineMs()).toBe(2);
  expect(only(agent.after(3), 'requestSend')).toHaveLength(1);
  const [batch] = only(agent.granted(), 'sendBatch');
  expect(batch).toMatchObject({ pieces: [{ attempt: 3 }, { attempt: 4 }] });
});

test('the last news of all that runs wait for nothing', () => {
  const agent = busy();
  expect(only(agent.ended(1), 'requestSend')).toEqual([]);
  expect(only(agent.ended(2), 'requestSend')).toHaveLength(1);
});

test('many bytes wait for nothing, and neither do prints', () => {
  const agent = busy();
  agent.values(1);
  expect(only(agent.values(1, 65_536), 'requestSend')).toHaveLength(1);
  agent.granted();
  expect(only(agent.step({ type: 'printsArrived' }), 'requestSend')).toHaveLength(1);
});
