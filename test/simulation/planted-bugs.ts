/**
 * An oracle is worth what it catches. Each of these bugs is planted into the text of a core as it is loaded, and has
 * to be caught; the cores themselves know nothing of it. A snippet that is not found exactly once is an error, so a
 * core that changes keeps its bug, or gets a new one.
 */
import type { Guarantee } from './violation.ts';

/** A mistake that somebody might make. */
export interface PlantedBug {
  readonly name: string;
  /** What is broken, in one sentence. */
  readonly breaks: string;
  /** Below the repository's root. */
  readonly file: string;
  /** Found there exactly once. */
  readonly snippet: string;
  readonly replacement: string;
  /** The guarantee that the seed breaks before any other; left out: whichever it is, the bug is caught. */
  readonly breaksFirst?: Guarantee;
  /** A seed that shows it, so that nobody has to search again; the sound cores pass it. */
  readonly seed: number;
  /** That seed is one of a stormy world. */
  readonly isStormy?: boolean;
}

const scheduler = 'libs/scheduler/src';
const coordinator = 'apps/coordinator/src/core';
const agent = 'apps/node-agent/src/core';
const pool = 'libs/pool/src/core';
const client = 'libs/client/src/core';

export const plantedBugs: readonly PlantedBug[] = [
  // -- leases, sessions, fencing ---------------------------------------------------------------------------------
  {
    name: 'lease-never-ends',
    breaks: 'An agent that falls silent is never declared lost.',
    file: `${scheduler}/fleet/fleet.ts`,
    snippet: 'this.#leases = new Countdown(parts.clock, parts.leaseMs);',
    replacement: 'this.#leases = new Countdown(parts.clock, () => 1e12);',
    seed: 21,
  },
  {
    name: 'stall-not-credited',
    breaks: 'The coordinator judges agents by the time that it stood still itself.',
    file: `${scheduler}/scheduler.ts`,
    snippet: "if (event.type === 'stallObserved') this.#clock.credit(event.stalledMs);",
    replacement: '',
    seed: 116,
  },
  {
    name: 'lost-dispatch-unnoticed',
    breaks: 'A dispatch that no heartbeat confirms is never given to anybody else.',
    file: `${scheduler}/fleet/fleet.ts`,
    snippet: 'attempt; attempt = unconfirmed.takeDue()) this.#giveUp(attempt);',
    replacement: 'attempt; attempt = unconfirmed.takeDue());',
    seed: 4,
  },
  {
    name: 'lost-agent-keeps-items',
    breaks: 'What a lost agent had is given to nobody else.',
    file: `${scheduler}/fleet/fleet.ts`,
    snippet: 'for (const attempt of [...agent.attempts]) this.#drop(attempt, saidGoodBye);',
    replacement: '',
    seed: 42,
  },
  {
    name: 'results-of-anybody',
    breaks: 'Values count, whichever attempt of whichever session they come from.',
    file: `${scheduler}/attempts/settlement.ts`,
    snippet: 'for (const range of attempt.open.take(first, count)) {',
    replacement:
      'for (const range of attempt.open.take(first, count).length > 0 ? [{ first, count }] : [{ first, count }]) {',
    seed: 23,
  },
  {
    name: 'given-up-and-believed',
    breaks: 'Values of an attempt that was given up still count, although its items are with another one.',
    file: `${scheduler}/fleet/fleet.ts`,
    snippet: `    this.#drop(attempt, false);
  }

  /**
   * An attempt is gone`,
    replacement: `    this.#settlement.lost(attempt);
  }

  /**
   * An attempt is gone`,
    breaksFirst: 'G12',
    seed: 132,
  },
  {
    name: 'attempt-number-twice',
    breaks: 'Now and then a new attempt gets the number of the one before it.',
    file: `${scheduler}/dispatch/dispatcher.ts`,
    snippet: 'const id = ++this.started;',
    replacement: 'const id = this.started % 16 === 15 ? this.started : ++this.started;',
    seed: 1,
  },
  {
    name: 'quarantine-for-ever',
    breaks: 'An agent that was set aside is never let back.',
    file: `${scheduler}/fleet/fleet.ts`,
    snippet: 'agent.setAsideUntilMs = undefined;\n      this.#dispatcher.refreshAgent(agent);',
    replacement: 'this.#dispatcher.refreshAgent(agent);',
    seed: 293,
  },
  {
    name: 'fence-open',
    breaks: 'An agent that gets no answers goes on starting work.',
    file: `${agent}/fence.ts`,
    snippet: 'return this.#provenAtMs + Math.max(selfFenceMs, leaseMs - heartbeatMs);',
    replacement: 'return this.#provenAtMs + Math.max(selfFenceMs, leaseMs - heartbeatMs) + 3_600_000;',
    seed: 163,
  },
  {
    name: 'heartbeat-forgets-one',
    breaks: 'A heartbeat leaves out the first attempt that the agent holds.',
    file: `${agent}/session-life.ts`,
    snippet: 'const attempts = held.map(({ attempt }) => attempt);',
    replacement: 'const attempts = held.slice(1).map(({ attempt }) => attempt);',
    seed: 1,
  },
  {
    name: 'dispatch-started-twice',
    breaks: 'A dispatch that comes twice is started twice.',
    file: `${agent}/attempt-memory.ts`,
    snippet: "if (this.#knows(attempt)) return 'again';",
    replacement: '',
    seed: 4,
  },
  {
    name: 'old-epoch-lives-on',
    breaks: 'An agent goes on with what an earlier coordinator gave it.',
    file: `${agent}/held-attempts.ts`,
    snippet: 'if (epoch !== this.#epoch) {',
    replacement: 'if (epoch < this.#epoch) {',
    seed: 828,
  },
  {
    name: 'taken-unheeded',
    breaks: 'An agent goes on holding what the coordinator has taken the end of.',
    file: `${agent}/held-attempts.ts`,
    snippet: 'if (record !== undefined) this.#table.remove(record);',
    replacement: '',
    seed: 1,
  },
  {
    name: 'reconnect-keeps-nothing',
    breaks: 'An agent that comes back in time has lost what it holds.',
    file: `${scheduler}/fleet/fleet.ts`,
    snippet: '      if (attempt.listedIn !== agent.beats) this.#drop(attempt, false);',
    replacement: '      this.#drop(attempt, false);',
    seed: 6,
  },
  {
    name: 'no-time-to-come-back',
    breaks: 'An agent is lost as soon as its stream closes.',
    file: `${scheduler}/fleet/fleet.ts`,
    snippet: `this.#graces.start(agent);
      this.#dispatcher.refreshAgent(agent);`,
    replacement: 'this.#lose(agent);',
    seed: 1,
  },
  {
    name: 'given-up-too-early',
    breaks: 'A dispatch is given up before a heartbeat could confirm it.',
    file: `${scheduler}/scheduler.ts`,
    snippet: 'const confirmMs = () => this.options.confirmMs * this.#stretch();',
    replacement: 'const confirmMs = () => this.options.confirmMs / 8;',
    seed: 1,
  },
  {
    name: 'never-abandoned',
    breaks: 'An agent that nobody has answered for a minute lets its children run on.',
    file: `${agent}/fence.ts`,
    snippet: 'return this.#provenAtMs + Math.max(abandonMs, 2 * leaseMs);',
    replacement: 'return this.#provenAtMs + Math.max(abandonMs, 2 * leaseMs) + 3_600_000;',
    seed: 261,
  },
  {
    name: 'no-quarantine',
    breaks: 'An agent that comes and goes is given work each time.',
    file: `${scheduler}/fleet/quarantine.ts`,
    snippet: 'if (conduct.starts.length < flapSessions) return',
    replacement: 'if (conduct.starts.length < 1_000 * flapSessions) return',
    seed: 293,
  },
  {
    name: 'deaf-agent-kept',
    breaks: 'An agent that is heard and hears nothing keeps its work.',
    file: `${coordinator}/coordinator-machine.ts`,
    snippet: 'if (stalledForMs > this.#scheduler.timing().leaseMs && this.#agents.isOpen(session)) {',
    replacement: 'if (stalledForMs > 1e9 && this.#agents.isOpen(session)) {',
    seed: 11,
  },
  {
    name: 'earlier-epoch-accepted',
    breaks: 'An agent works for a coordinator of an epoch before one that it has seen.',
    file: `${agent}/agent-machine.ts`,
    snippet: 'if (epoch < this.#life.epochSeen) {',
    replacement: 'if (epoch < 0) {',
    seed: 464,
  },
  {
    name: 'resize-unheeded',
    breaks: 'A coordinator does not care that an agent has fewer processes than it had.',
    file: `${scheduler}/fleet/fleet.ts`,
    snippet: 'if (agent !== undefined) this.#resize(agent, slots);',
    replacement: '',
    seed: 127,
  },
  // -- retries and blame -----------------------------------------------------------------------------------------
  {
    name: 'one-retry-too-many',
    breaks: 'An item gets one try more than its retries allow.',
    file: `${scheduler}/attempts/blame.ts`,
    snippet: 'history.failures[kind] >= budgets[kind]',
    replacement: 'history.failures[kind] > budgets[kind]',
    seed: 20,
  },
  {
    name: 'one-retry-too-few',
    breaks: 'An item gets one try less than its retries allow.',
    file: `${scheduler}/attempts/blame.ts`,
    snippet: 'history.failures[kind] >= budgets[kind]',
    replacement: 'history.failures[kind] + 1 >= budgets[kind]',
    seed: 3,
  },
  {
    name: 'suspects-run-together',
    breaks:
      'Items that were in a dying child run together again, and the innocent are blamed with the guilty.',
    file: `${scheduler}/attempts/blame.ts`,
    snippet: 'alone: history.alone || crashed,',
    replacement: 'alone: history.alone,',
    seed: 59,
  },
  {
    name: 'marked-starts-ignored',
    breaks: 'Whoever shares a chunk with an item that kills its child is blamed, started or not.',
    file: `${pool}/suspects.ts`,
    snippet: 'if (chunk.spec.marksStarts) return singly(part.started.keys());',
    replacement: '',
    seed: 315,
  },
  {
    name: 'loss-not-counted',
    breaks: 'What a lost agent had runs again without being charged to anybody.',
    file: `${scheduler}/attempts/settlement.ts`,
    snippet:
      'for (const range of attempt.open.ranges()) this.#fail(attempt, range, this.#lossOf(attempt), {});',
    replacement: 'this.#returnFree(attempt, false);',
    seed: 84,
  },
  {
    name: 'first-failure-ignored',
    breaks: 'A job with failFast goes on after its first failure.',
    file: `${scheduler}/attempts/settlement.ts`,
    snippet: 'if (job.spec.failFast) this.#failFast(job, range.first);',
    replacement: '',
    seed: 20,
  },
  {
    name: 'back-where-it-crashed',
    breaks: 'An item that crashed runs on the same agent again, although there are others.',
    file: `${scheduler}/dispatch/dispatcher.ts`,
    snippet: 'if (name === undefined || piece.elsewhereUntilMs <= this.#turn.nowMs) return undefined;',
    replacement: 'return undefined;',
    seed: 13,
  },
  {
    name: 'no-backoff',
    breaks: 'Retries do not wait.',
    file: `${scheduler}/attempts/settlement.ts`,
    snippet: "const waits = !isPaid && (kind === 'thrown' || kind === 'lost');",
    replacement: 'const waits = isPaid && !isPaid;',
    seed: 4,
  },
  {
    name: 'given-back-for-free',
    breaks: 'What a draining agent had begun and gave back is charged to nobody.',
    file: `${scheduler}/attempts/settlement.ts`,
    snippet: 'for (const started of ending.started ?? []) {',
    replacement: 'for (const started of ending.started?.slice(0, 0) ?? []) {',
    seed: 1040,
  },
  {
    name: 'run-once-run-again',
    breaks: 'What may run only once runs again after it ran beside an item for which its child was killed.',
    file: `${pool}/suspects.ts`,
    snippet: 'if (part.chunk.spec.runsOnce === undefined) return [];',
    replacement: 'if (part !== undefined) return [];',
    breaksFirst: 'G5',
    seed: 1040,
  },
  {
    name: 'priority-ignored',
    breaks: 'Jobs with a high priority wait behind others.',
    file: `${scheduler}/jobs/job.ts`,
    snippet: 'this.rankIdle = 0 - spec.priority * 2 ** 40;',
    replacement: 'this.rankIdle = 0;',
    seed: 142,
  },
  // -- order, windows, payload -----------------------------------------------------------------------------------
  {
    name: 'delivered-as-they-come',
    breaks: 'Outcomes of an ordered job are delivered as they come in.',
    file: `${scheduler}/structures/reorder-buffer.ts`,
    snippet: 'if (first !== this.#delivered) {',
    replacement: 'if (first < this.#delivered) {',
    seed: 1,
  },
  {
    name: 'batch-from-its-end',
    breaks: 'A client hands out the outcomes of a batch from its last one to its first.',
    file: `${client}/outcome-cursor.ts`,
    snippet: "this.#turn.emit({ type: 'deliver', at });",
    replacement: "this.#turn.emit({ type: 'deliver', at: outcomes.length - 1 - at });",
    breaksFirst: 'G2',
    seed: 1,
  },
  {
    name: 'window-too-wide',
    breaks: 'A producer may push far beyond the window of its job.',
    file: `${scheduler}/jobs/job.ts`,
    snippet: 'const upTo = this.outcomes.acknowledged + windowItems;',
    replacement: 'const upTo = this.outcomes.acknowledged + windowItems * 2 + 40;',
    seed: 2,
  },
  {
    name: 'bytes-without-bound',
    breaks: 'A producer may push however many bytes are held already.',
    file: `${scheduler}/jobs/job.ts`,
    snippet: 'return this.itemBytes + this.outcomes.bytes >= this.spec.windowBytes;',
    replacement: 'return this.itemBytes + this.outcomes.bytes >= this.spec.windowBytes * 1_000;',
    seed: 4,
  },
  {
    name: 'attempts-not-told',
    breaks: 'A failure does not name the try that it came of.',
    file: `${scheduler}/attempts/blame.ts`,
    snippet: 'const attempts = [...history.attempts, failure.attempt];',
    replacement: 'const attempts = [...history.attempts];',
    seed: 3,
  },
  {
    name: 'wrong-block',
    breaks: 'A dispatch beyond the first block is given the one before.',
    file: `${scheduler}/payload-store.ts`,
    snippet: 'const kept = this.#jobs.get(job)?.blocks.touching(first, count) ?? [];',
    replacement: 'const kept = this.#jobs.get(job)?.blocks.touching(Math.max(0, first - 2), count) ?? [];',
    seed: 1,
  },
  {
    name: 'window-never-reopens',
    breaks: 'Room that an acknowledgement makes is not given back to the window.',
    file: `${scheduler}/structures/reorder-buffer.ts`,
    snippet: 'this.#unacknowledgedBytes -= runs[this.#oldest + 1] as number;',
    replacement: '',
    seed: 4,
  },
  {
    name: 'errors-weigh-nothing',
    breaks: 'Errors that wait for their client fill no window.',
    file: `${scheduler}/attempts/settlement.ts`,
    snippet: 'const bytes = (payload?.bytes ?? 0) + (failure.stderrTail?.length ?? 0);',
    replacement: 'const bytes = failure.stderrTail?.length ?? 0;',
    seed: 62,
  },
  // -- ending ----------------------------------------------------------------------------------------------------
  {
    name: 'cancel-without-revoke',
    breaks: 'What runs of a job that was cancelled runs on.',
    file: `${scheduler}/scheduler.ts`,
    snippet: 'if (attempt.open.size === 0) continue;',
    replacement: 'if (attempt.open.size >= 0) continue;',
    seed: 17,
  },
  {
    name: 'over-and-in-the-queue',
    breaks: 'A job that is over keeps its place in the queue.',
    file: `${scheduler}/dispatch/dispatcher.ts`,
    snippet: 'lane.ready.refresh(job, false);',
    replacement: '',
    breaksFirst: 'G25',
    seed: 11,
  },
  {
    name: 'deadline-unheeded',
    breaks: 'A job runs on after its deadline.',
    file: `${scheduler}/jobs/job.ts`,
    snippet: 'this.spec = spec;',
    replacement: 'this.spec = { ...spec, deadlineAtMs: spec.deadlineAtMs && spec.deadlineAtMs + 1_000 };',
    seed: 223,
  },
  {
    name: 'drain-unheeded',
    breaks: 'An agent that drains is given work.',
    file: `${scheduler}/fleet/agent.ts`,
    snippet: 'return this.connected && !this.draining && this.setAsideUntilMs === undefined;',
    replacement: 'return this.connected && this.setAsideUntilMs === undefined;',
    seed: 3,
  },
  {
    name: 'labels-unheeded',
    breaks: 'A job runs on agents that do not have its labels.',
    file: `${scheduler}/fleet/agent.ts`,
    snippet: 'if (this.labels[label] !== value) return false;',
    replacement: 'if (this.labels[label] !== value) continue;',
    seed: 4,
  },
  {
    name: 'orphans-live-on',
    breaks: 'A job whose client is gone for good is never ended.',
    file: `${coordinator}/job-book.ts`,
    snippet: 'this.#alone = new Vigil(limits.graceMs);',
    replacement: 'this.#alone = new Vigil(limits.graceMs + 3_600_000);',
    seed: 1,
  },
  {
    name: 'revoked-runs-on',
    breaks: 'An agent lets run what the coordinator has taken back.',
    file: `${agent}/held-attempts.ts`,
    snippet: 'this.#ledger.forgetValues(attempt);\n    if (record.chunk !== undefined) this.#table',
    replacement:
      'this.#ledger.forgetValues(attempt);\n    if (record.chunk !== undefined) return;\n    if (record.chunk !== undefined) this.#table',
    seed: 17,
  },
  {
    name: 'news-not-sent-again',
    breaks: 'What was on its way when a session broke is not sent again in the next one.',
    file: `${agent}/outbox-ledger.ts`,
    snippet: 'this.#pending = wanted;\n    this.#drop(unwanted);\n  }\n\n  /** Nobody wants to hear more',
    replacement:
      'this.#pending = wanted.slice(1);\n    this.#drop([...unwanted, ...wanted.slice(0, 1)]);\n  }\n\n  /** Nobody wants to hear more',
    seed: 93,
  },
  {
    name: 'no-second-dial',
    breaks: 'An agent that has lost its connection does not dial again.',
    file: `${agent}/redial.ts`,
    snippet: 'this.nextMs = nowMs + waitMs;',
    replacement: 'this.nextMs = nowMs + waitMs + 3_600_000;',
    seed: 58,
  },
  // -- the process pool ------------------------------------------------------------------------------------------
  {
    name: 'recycled-one-late',
    breaks: 'A child starts one call more than its limit.',
    file: `${pool}/child-record.ts`,
    snippet: 'Math.min(this.taskLimit, taskLimit) - this.tasksGiven)',
    replacement: 'Math.min(this.taskLimit, taskLimit) + 1 - this.tasksGiven)',
    seed: 4,
  },
  {
    name: 'group-slots-ignored',
    breaks: 'An agent starts whatever it has of a group, however few processes the group may use.',
    file: `${pool}/placement.ts`,
    snippet: 'return busy >= most;',
    replacement: 'return false;',
    breaksFirst: 'G28',
    seed: 22,
  },
  {
    name: 'older-agent-given-ahead',
    breaks:
      'An agent that starts whatever it is given gets shards that were to wait for others of their group.',
    file: `${scheduler}/jobs/group.ts`,
    snippet: 'const keepsOrder = agent.keepsGroupSlots || slots === agent.slots;',
    replacement: 'const keepsOrder = true;',
    breaksFirst: 'G28',
    seed: 237,
  },
  {
    name: 'rest-of-the-chunk-forgotten',
    breaks: 'What a recycled child has not reached of its chunk is given to no successor.',
    file: `${pool}/part-news.ts`,
    snippet: 'this.#state.continueChunk(chunk);\n  }\n}',
    replacement: 'if (chunk.todo.size === 0) this.#state.continueChunk(chunk);\n  }\n}',
    seed: 5,
  },
  {
    name: 'timeout-unheeded',
    breaks: 'An item may run for ever, whatever its time limit.',
    file: `${pool}/deadlines.ts`,
    snippet: 'if (startedAt + timeoutMs > atMs) continue;',
    replacement: 'if (startedAt + timeoutMs > 0) continue;',
    seed: 3,
  },
  {
    name: 'judged-unheard',
    breaks:
      'An item is said to have run too long although nobody has read that it ended (found here in 2026).',
    file: `${pool}/deadlines.ts`,
    snippet: 'if (held) state.unreadSinceMs ??= atMs;',
    replacement: 'if (held) state.unreadSinceMs = undefined;',
    seed: 14,
  },
  {
    name: 'grace-without-end',
    breaks: 'What does not end at its AbortSignal is never killed.',
    file: `${pool}/deadlines.ts`,
    snippet: 'part.child.killBy(atMs + (part.chunk.abortGraceMs ?? 0));',
    replacement: '',
    seed: 17,
  },
  {
    name: 'initializer-for-ever',
    breaks: 'An initializer may hang for ever.',
    file: `${pool}/child-endings.ts`,
    snippet: 'child.initializeByMs = atMs + (initializerMs ?? this.#state.limits.initializerMs);',
    replacement: '',
    seed: 15,
  },
  {
    name: 'tick-for-the-killed',
    breaks: 'The pool asks for ticks on behalf of a child that it has killed (found here in 2026).',
    file: `${pool}/child-endings.ts`,
    snippet: "child.state = 'dying';\n    child.killAtMs = undefined;",
    replacement: "child.state = 'dying';",
    seed: 3,
  },
  {
    name: 'successor-of-another-key',
    breaks:
      'Room made for one group goes to the successor of another, which makes room in turn (found here in 2026).',
    file: `${pool}/placement.ts`,
    snippet: 'this.#spares.promote(key);',
    replacement: 'this.#spares.promote();',
    seed: 281,
  },
  {
    name: 'tick-for-the-aborted',
    breaks: 'The pool asks for a tick that is due already, and for the next one (found here in 2026).',
    file: `${pool}/child-record.ts`,
    snippet: 'if (part.chunk.abortGraceMs !== undefined) continue;',
    replacement: '',
    seed: 314,
  },
  // -- clients ---------------------------------------------------------------------------------------------------
  {
    name: 'request-id-ignored',
    breaks: 'A job that is asked for again is created again.',
    file: `${coordinator}/job-book.ts`,
    snippet: "const known = requestId === '' ? undefined : this.#byRequest.get(requestId);",
    replacement: "const known = requestId !== '' ? undefined : this.#byRequest.get(requestId);",
    seed: 2,
  },
  {
    name: 'acknowledged-by-anybody',
    breaks: 'A client that was replaced may still say that outcomes are needed no more.',
    file: `${coordinator}/reader-desk.ts`,
    snippet: 'if (session !== record.lastReader.session) {',
    replacement: 'if (session === undefined) {',
    seed: 322,
  },
  {
    name: 'acknowledged-and-read-again',
    breaks: 'Outcomes that were acknowledged are promised to whoever asks for them.',
    file: `${coordinator}/reader-desk.ts`,
    snippet: 'if (fromPosition < acknowledged) {',
    replacement: 'if (fromPosition < 0) {',
    seed: 322,
  },
  {
    name: 'silence-beyond-the-deadline',
    breaks: 'A client waits for a silent coordinator beyond the deadline of its job.',
    file: `${client}/deadline-watch.ts`,
    snippet: 'this.#judgeAtMs = deadlineAtMs;',
    replacement: '',
    breaksFirst: 'G26',
    seed: 56,
  },
  {
    name: 'no-last-word',
    breaks: 'A client gives its job up at the deadline, though the coordinator is there to end it.',
    file: `${client}/deadline-watch.ts`,
    snippet: 'if (this.#isPast) return true;',
    replacement: 'return true;',
    breaksFirst: 'G26',
    seed: 223,
  },
  {
    name: 'no-patience-with-a-broken-stream',
    breaks: 'A client whose stream of outcomes breaks just before its deadline does not try again.',
    file: `${client}/deadline-watch.ts`,
    snippet: 'this.#judgeAtMs = silentSinceMs + deadlineSilenceMs;',
    replacement: 'this.#judgeAtMs = brokenSinceMs === undefined ? nowMs + deadlineSilenceMs : nowMs;',
    breaksFirst: 'G26',
    seed: 706,
  },
  {
    name: 'patience-from-the-break',
    breaks:
      'A client whose connection is back for one call counts its patience at the deadline from the break all the same.',
    file: `${client}/deadline-watch.ts`,
    snippet: 'Math.max(brokenSinceMs, this.#heardAtMs)',
    replacement: 'brokenSinceMs',
    breaksFirst: 'G26',
    seed: 1048,
    isStormy: true,
  },
  {
    name: 'reader-skips-one',
    breaks: 'A stream of outcomes that is opened again begins one too late.',
    file: `${client}/outcome-cursor.ts`,
    snippet: "this.position += outcome.kind === 'run' ? outcome.count : 1;",
    replacement:
      "this.position += (outcome.kind === 'run' ? outcome.count : 1) + Number(this.#lastCall > 1 && at === 0);",
    seed: 3,
  },
  {
    name: 'taken-too-early',
    breaks: 'A client acknowledges an outcome that it has not got.',
    file: `${client}/acknowledgements.ts`,
    snippet: "this.#turn.emit({ type: 'acknowledge', call: this.#call, position });",
    replacement: "this.#turn.emit({ type: 'acknowledge', call: this.#call, position: position + 1 });",
    seed: 2,
  },
  {
    name: 'blocks-out-of-step',
    breaks: 'A producer goes on behind what it had sent, not where the coordinator is.',
    file: `${client}/producer-window.ts`,
    snippet: '    this.#sent = 0;\n    this.#endSent = false;',
    replacement: '    this.#endSent = false;',
    seed: 26,
  },
  {
    name: 'end-not-told-again',
    breaks: 'A reader that comes back after the end of its job is not told of it.',
    file: `${coordinator}/reader-desk.ts`,
    snippet: 'if (record.ending !== undefined) this.#tellEnd(call, record);',
    replacement: '',
    seed: 2,
  },
];
