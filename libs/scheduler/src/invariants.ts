import type { Attempt } from './attempts/attempt.ts';
import type { Dispatcher } from './dispatch/dispatcher.ts';
import type { ItemRange } from './identity.ts';
import type { Share } from './jobs/group.ts';
import type { Job } from './jobs/job.ts';

/** Throws an Error that says what is broken. Costs time in proportion to everything: for tests and simulation. */
export function checkInvariants(jobs: Iterable<Job>, dispatcher: Dispatcher, awaitsMore: boolean): void {
  for (const job of jobs) {
    checkJob(job);
    const { line, pending, wakeAtMs } = job;
    must(line.jobs.has(job) === dispatcher.isReady(job), `job ${job.id} is in the queue when it is ready`);
    const retryMs = pending.nextReadyMs;
    must(retryMs === undefined || (wakeAtMs as number) <= retryMs, `job ${job.id} wakes for its next retry`);
    must(dispatcher.lanes.get(line.lane.key) === line.lane, `job ${job.id} stands in a lane that is served`);
  }
  for (const lane of dispatcher.lanes.values()) {
    const idle = lane.free.pick(false);
    const first = lane.ready.top();
    must(
      awaitsMore || !idle || !first,
      `a slot of ${idle?.name} is not free while job ${first?.id} is ready`,
    );
  }
  for (const agent of dispatcher.agents.values()) {
    const held = agent.attempts;
    must(
      agent.load === sum(held.map(({ weight }) => weight)),
      `load of agent ${agent.name} is its attempts'`,
    );
    for (const attempt of held) {
      must(attempt.agent === agent, `attempt ${attempt.id} is on the agent that holds it`);
      must(
        dispatcher.attempts.get(attempt.id) === attempt,
        `attempt ${attempt.id} of ${agent.name} is known`,
      );
    }
  }
  for (const agent of dispatcher.agents.values()) {
    const { name, shares, slotsInUse } = agent;
    must(
      slotsInUse === sum(shares.map(({ slots }) => slots)),
      `slots in use of agent ${name} are its groups'`,
    );
    for (const share of shares) checkShare(share);
  }
  for (const attempt of dispatcher.attempts.values()) {
    const { agent, id } = attempt;
    must(dispatcher.agents.get(agent.name) === agent, `agent ${agent.name} of attempt ${id} has a session`);
    must(agent.attempts.includes(attempt), `agent ${agent.name} holds attempt ${id}`);
    must(attempt.job.attempts.has(attempt), `job ${attempt.job.id} knows attempt ${id}`);
    const over = attempt.job.ended && attempt.open.size > 0;
    must(!over || attempt.revoked !== undefined, `attempt ${id} of a job that is over was taken back`);
  }
  for (const group of dispatcher.groups.values()) {
    must(!group.forgotten, `group ${group.id} has jobs or attempts`);
    const shares = [...dispatcher.agents.values()].map((agent) => group.shareOf(agent)?.slots ?? 0);
    must(group.slotsInUse === sum(shares), `slots in use of group ${group.id} are its shares'`);
    must(group.slotsInUse <= group.processes, `group ${group.id} has ${group.processes} slots at most`);
  }
}

/** What an agent has of a group: at least an attempt for each slot that they may use. */
function checkShare({ agent, attempts, group, items, load, slots }: Share): void {
  const whose = `of group ${group.id} on agent ${agent.name}`;
  const held = agent.attempts.filter(({ job }) => job.group === group);
  must(attempts === held.length && attempts > 0, `attempts ${whose} are counted`);
  must(items === sum(held.map(({ count }) => count)), `items ${whose} are counted`);
  must(load === sum(held.map(({ weight }) => weight)), `load ${whose} is its attempts'`);
  must(slots <= attempts, `slots ${whose} have an attempt each`);
  must(slots <= agent.slots, `slots ${whose} are the agent's`);
}

/** Each pushed item of a job is pending, running, or settled: in exactly one place. */
function checkJob(job: Job): void {
  const running = [...job.attempts].filter(({ revoked }) => revoked === undefined);
  const open = running.flatMap(rangesOfItsOwn);
  const places: ItemRange[] = [...job.pending.ranges(), ...open, ...job.outcomes.early()];
  must(job.running === sum(open.map(({ count }) => count)), `job ${job.id} counts its running items`);
  must(
    job.load === sum([...job.attempts].map(({ weight }) => weight)),
    `load of job ${job.id} is its attempts'`,
  );
  const settled = job.succeeded + job.failed;
  const { ready, waiting } = job.pending;
  must(settled + ready + waiting + job.running === job.pushed, `every item of job ${job.id} is somewhere`);
  must(job.outcomes.delivered <= settled, `job ${job.id} delivers what has an outcome`);
  must(job.outcomes.acknowledged <= job.outcomes.delivered, `job ${job.id} acknowledges what was delivered`);
  must(job.itemBytes >= 0 && job.outcomes.bytes >= 0, `bytes of job ${job.id} are not negative`);
  let end = job.spec.ordered ? job.outcomes.delivered : 0;
  for (const { first, count } of places.sort((a, b) => a.first - b.first)) {
    must(first >= end, `item ${first} of job ${job.id} is in one place only`);
    // In an unordered job the gaps are what was delivered.
    must(!job.spec.ordered || first === end, `item ${end} of job ${job.id} is in a place`);
    end = first + count;
  }
}

/** What is open in an attempt, without what its straggler has too: that is counted there. */
function rangesOfItsOwn(attempt: Attempt): ItemRange[] {
  const { id, job, original, copies } = attempt;
  const parts = attempt.open.ranges().flatMap((range) => [...attempt.shared(range)]);
  // Parts follow each other without overlapping only if no two copies have the same item.
  const ends = parts.map(({ first, count }) => first + count);
  const isDisjoint = parts.every(({ first }, at) => at === 0 || first >= (ends[at - 1] as number));
  must(isDisjoint, `an item of attempt ${id} runs in two attempts at most`);
  must(
    original === undefined || copies === undefined || copies.size === 0,
    `attempt ${id} is no copy of a copy`,
  );
  must(
    original === undefined || (original.copies?.has(attempt) === true && original.job === job),
    `attempt ${id} and its straggler know each other`,
  );
  for (const copy of copies ?? []) must(copy.original === attempt, `attempt ${copy.id} is a copy of ${id}`);
  return original === undefined ? attempt.open.ranges() : parts.filter(({ twin }) => twin === undefined);
}

function must(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`broken invariant: ${rule}`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
