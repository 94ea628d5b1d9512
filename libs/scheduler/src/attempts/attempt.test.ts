import { expect, test } from 'vitest';
import type { Agent } from '../fleet/agent.ts';
import type { Share } from '../jobs/group.ts';
import type { Job } from '../jobs/job.ts';
import { Attempt, type AttemptTerms } from './attempt.ts';
import { spotless } from './blame.ts';

function terms(id: number, shard: { first: number; count: number }): AttemptTerms {
  const [job, agent, share] = [{ ended: false } as Job, {} as Agent, {} as Share];
  const history = { ...spotless, bounces: id };
  return {
    id,
    job,
    agent,
    share,
    shard: { ...shard, history },
    weight: id,
    startedMs: id,
    original: undefined,
  };
}

/** All that others see of it. */
function told(attempt: Attempt) {
  const { agent, counts, job, open, openAlone, share, twins } = attempt;
  const { count, first } = attempt;
  const histories = attempt.histories.of({ first, count });
  return {
    ...attempt,
    agent,
    counts,
    job,
    openAlone,
    share,
    histories,
    ranges: open.ranges(),
    twins: [...twins],
  };
}

test('an attempt knows nothing of the one whose object it has', () => {
  const used = new Attempt();
  used.begin(terms(1, { first: 0, count: 9 }));
  used.open.take(4, 1);
  used.histories.set({ first: 3, count: 1, history: spotless });
  used.revoked = 'cancelled';
  used.listedIn = 7;
  const copy = new Attempt();
  copy.begin({ ...terms(2, { first: 5, count: 4 }), original: used });
  used.leaveTwins();
  used.clear();
  const next = terms(3, { first: 20, count: 5 });
  used.begin(next);
  const fresh = new Attempt();
  fresh.begin(next);
  expect(told(used)).toEqual(told(fresh));

  copy.clear();
  copy.begin(next);
  expect(told(copy)).toEqual(told(fresh));
});
