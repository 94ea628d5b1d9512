import { shownText } from '@shoal/errors';
import { type AttemptReport, type FailedTry, type ResultRun, readCatalogueError } from '@shoal/protocol';
import type { AttemptId, Dispatch, JobId, SessionId } from '@shoal/scheduler';
import type { Driver } from '../driver.ts';
import type { Job } from '../jobs/job.ts';
import { type StoredBlock, StoredRun } from '../payloads/payload.ts';
import type { PayloadVault } from '../payloads/payload-vault.ts';
import { ShardTraces } from '../watch/shard-trace.ts';
import { endingOf, failureOf, lieOf } from './attempt-news.ts';
import { RunParts } from './run-parts.ts';

/** What {@link AgentReports} are read with. */
export interface AgentReportsParts {
  readonly session: SessionId;
  readonly agent: string;
  readonly driver: Driver;
  readonly vault: PayloadVault;
  readonly maxResultBytes: number;
  /** Whether the session has ended: nothing that follows is heard. */
  readonly isOver: () => boolean;
}

const lackCharsMax = 500;

/** What an agent reports of the attempts that it holds in one session: events are made of it. */
export class AgentReports {
  readonly #parts: AgentReportsParts;
  /** The job of each attempt that it holds. */
  readonly #jobs = new Map<AttemptId, JobId>();
  readonly #traces = new ShardTraces();
  readonly #runParts: RunParts;
  /** Jobs of which the agent could not start what it was given. */
  readonly #lacks = new Map<JobId, Job>();

  constructor(parts: AgentReportsParts) {
    this.#parts = parts;
    this.#runParts = new RunParts(parts.maxResultBytes);
  }

  /** One that the agent brought along from its earlier session. */
  keep(attempt: AttemptId, job: JobId): void {
    this.#jobs.set(attempt, job);
  }

  dispatched(command: Dispatch, blocks: readonly StoredBlock[]): void {
    this.#jobs.set(command.attempt, command.job);
    this.#traces.dispatched(command, blocks);
  }

  /** Taken back from the agent: what it still reports of it is of no job. */
  drop(attempt: AttemptId): void {
    this.#forget(attempt);
    this.#traces.forget(attempt);
  }

  forgetJob(job: JobId): void {
    this.#lacks.delete(job);
  }

  /** News of one attempt, in order. */
  take(report: AttemptReport): void {
    const { attempt } = report;
    const { isOver } = this.#parts;
    for (const part of report.runs) {
      const run = this.#runParts.take(attempt, part);
      if (run !== undefined) this.#takeRun(attempt, run);
      if (isOver()) return;
    }
    for (const failed of report.failures) {
      this.#takeFailure(attempt, failed);
      if (isOver()) return;
    }
    if (report.ended !== undefined) this.#takeEnding(attempt, report.ended.ending);
  }

  #takeRun(attempt: AttemptId, { first, count, payload, runMs, pid }: ResultRun): void {
    const { agent, driver, session, vault } = this.#parts;
    const job = this.#jobOf(attempt);
    const lie = job === undefined ? undefined : lieOf(job.request.options.encoding, count, payload);
    if (lie !== undefined) {
      driver.step({ type: 'protocolBroken', session, reason: `it reports ${lie}` });
      return;
    }
    if (job !== undefined) this.#startedOf(job);
    this.#traces.succeeded(attempt, runMs, payload.byteLength);
    const run = new StoredRun(first, count, vault.payload(payload), { runMs, pid, agent });
    const bytes = payload.byteLength;
    driver.step({ type: 'itemsSucceeded', session, attempt, first, count, bytes, runMs }, { run });
  }

  #takeFailure(attempt: AttemptId, failed: FailedTry): void {
    const { agent, driver, session } = this.#parts;
    const { index, code, error, summary, facts } = failed;
    const failure = failureOf(agent, failed);
    const tried = { code, error, summary, facts };
    driver.step({ type: 'itemFailed', session, attempt, index, failure }, { tried });
  }

  #takeEnding(attempt: AttemptId, wire: NonNullable<AttemptReport['ended']>['ending']): void {
    const { agent, driver, session } = this.#parts;
    const job = this.#jobOf(attempt);
    this.#forget(attempt);
    if (job !== undefined) this.#takeLack(job, wire);
    if (wire?.$case === 'unrunnable' && job !== undefined) job.unrunnable ??= wire.value.error;
    const ending = endingOf(agent, wire);
    this.#traces.ended(attempt, ending);
    driver.step({ type: 'attemptEnded', session, attempt, ending });
  }

  /** What it lacked is among its troubles for as long as it lacks it, and there are none; or its session is over. */
  lacksNothing(): void {
    for (const job of this.#lacks.values()) this.#startedOf(job);
  }

  #startedOf(job: Job): void {
    job.lacking.delete(this.#parts.session);
    this.#lacks.delete(job.id);
  }

  /** It may be said again every second, by an agent whose disk stays full. */
  #takeLack(job: Job, wire: NonNullable<AttemptReport['ended']>['ending']): void {
    const { agent, session } = this.#parts;
    const lacking = wire?.$case === 'returned' ? wire.value.lacking : undefined;
    if (lacking === undefined) this.#startedOf(job);
    else {
      this.#lacks.set(job.id, job);
      const { message } = readCatalogueError(lacking);
      job.lacking.set(
        session,
        `${agent}: ${shownText(message.slice(0, lackCharsMax)).replaceAll(/\s+/g, ' ')}`,
      );
    }
  }

  /** Undefined where the attempt was taken back, or is none of this session's. */
  #jobOf(attempt: AttemptId): Job | undefined {
    const id = this.#jobs.get(attempt);
    return id === undefined ? undefined : this.#parts.driver.jobs.get(id);
  }

  #forget(attempt: AttemptId): void {
    this.#jobs.delete(attempt);
    this.#runParts.forget(attempt);
  }
}
