import type { AgentParts } from './agent-snapshot.ts';
import type { AttemptRecord } from './attempt-record.ts';

/** Throws an Error that says what is broken. Costs time in proportion to everything: for tests and simulation. */
export function checkInvariants({ life, fence, table, setups, ledger, departure, redial }: AgentParts): void {
  const records = [...table.records];
  const endings = new Map<number, number>();
  let bytes = 0;
  for (const { attempt, kind, bytes: each } of ledger.entries()) {
    bytes += each;
    must(
      records.some(({ id }) => id === attempt),
      `news are kept of attempt ${attempt} alone while it is held`,
    );
    if (kind === 'ending') endings.set(attempt, (endings.get(attempt) ?? 0) + 1);
  }
  must(bytes === ledger.heldBytes, `the outbox holds ${bytes} bytes and says ${ledger.heldBytes}`);
  for (const record of records) {
    const { id, chunk, epoch } = record;
    const ends = endings.get(id) ?? 0;
    must(ends === (record.isReported ? 1 : 0), `attempt ${id} ends once, when it is reported`);
    must(epoch === life.epochSeen, `attempt ${id} is of epoch ${epoch}, not of an earlier one`);
    must(chunk === undefined || table.chunks.get(chunk) === record, `chunk ${chunk} runs attempt ${id}`);
    must(!(chunk !== undefined && record.isReported), `attempt ${id} is not reported while it runs`);
    const isKept = record.hasWork === (record.state === 'waiting');
    must(isKept || record.state === 'resting', `what attempt ${id} runs on is kept until it starts`);
    must(!isOverlooked(record) || fence.isClosed, `attempt ${id} waits for nothing`);
    must(!record.isWaiting || !departure.isLeaving, `attempt ${id} does not wait while the agent leaves`);
    must(!record.isWaiting || !record.isRevoked, `attempt ${id} was taken back and does not wait`);
  }
  for (const [chunk, record] of table.chunks) {
    must(record.chunk === chunk, `attempt ${record.id} runs as chunk ${chunk}`);
    must(records.includes(record), `attempt ${record.id} is held while it runs`);
  }
  for (const setup of setups.all) {
    const users = records.filter((record) => record.setup === setup).length;
    must(setup.users === users, `setup ${setup.setup} is used by ${users} attempts`);
    must(setup.isOpen || users > 0, `setup ${setup.setup} is needed`);
  }
  if (departure.state === 'gone') {
    must(records.length === 0 && life.state === 'closed', 'an agent that is gone holds nothing');
    return;
  }
  // Before the first event it does nothing; from then on it is joined, joins, or knows when to try again.
  const isUnderWay = life.state !== 'closed' || redial.nextMs !== undefined || life.isFresh;
  must(isUnderWay, 'an agent without a link knows when to try again');
}

/** All that it needs is here, and yet it does not run. */
function isOverlooked(record: AttemptRecord): boolean {
  return record.isWaiting && record.returnAtMs === undefined && record.setup?.state === 'ready';
}

function must(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`An invariant is broken: ${rule}.`);
}
