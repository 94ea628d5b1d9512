import { durationText, type Facts, type ItemAttempt, ItemError, shownText, timesText } from '@shoal/errors';
import { memoryDeathIn } from '../child-pool/memory-guard.ts';
import type { FailedOutcome, JobRequest } from '../job-backend.ts';
import { ownFolders } from '../own-code.ts';
import { rebuildThrown } from '../values/rebuilt-error.ts';
import type { CallSite } from './call-site.ts';

/** What the errors of a job's items have to know of the job. */
export interface ErrorSetting extends Pick<JobRequest, 'task' | 'timeoutMs' | 'retries'> {
  /** Where the method was called. */
  readonly site: CallSite;
}

/** What is known beside the item when its error is told. */
export interface Beside {
  /** `4,209 others succeeded.` */
  readonly others?: string | undefined;
  /** What the input threw after it. */
  readonly inputFailure?: { readonly error: unknown } | undefined;
}

/** The error of an item that failed for good, worded after the catalogue. */
export function itemErrorOf(
  outcome: FailedOutcome,
  setting: ErrorSetting,
  { others, inputFailure }: Beside = {},
): ItemError {
  const { index, code, attempts, error, stderrTail, summary } = outcome;
  const failed = new ItemError({
    code,
    index,
    task: setting.task.name,
    attempts,
    ...(summary === undefined ? {} : { summary }),
    facts: { ...factsOf(outcome, setting), ...outcome.facts, ...(others === undefined ? {} : { others }) },
    ...(code === 'ITEM_THREW' && error !== undefined ? { cause: rebuildThrown(error) } : {}),
    ...(stderrTail === undefined ? {} : { stderrTail }),
    ...(inputFailure === undefined ? {} : { inputFailure: inWords(inputFailure.error) }),
  });
  return setting.site.of(failed);
}

function factsOf({ code, attempts, error, stderrTail = '' }: FailedOutcome, setting: ErrorSetting): Facts {
  const { task, timeoutMs, retries } = setting;
  switch (code) {
    case 'ITEM_THREW': {
      const place = placeOf(error?.stack);
      const where = [
        place === undefined ? task.name : `${task.name} at ${place}`,
        ranOn(attempts.slice(-1)),
        `attempt ${attempts.length} of ${Math.max(attempts.length, 1 + retries.thrown)}`,
      ];
      return { reason: reasonOf(error), where: where.filter((part) => part !== '').join(', ') };
    }
    case 'ITEM_KILLED_CHILD': {
      const died = attempts.filter(({ exitCode, signal }) => exitCode !== undefined || signal !== undefined);
      const how = [...new Set(died.map(endOf))];
      const memory = memoryDeathIn(stderrTail);
      if (memory !== undefined) how.push(`for its memory: ${memory}`);
      return {
        deaths: timesText(Math.max(1, died.length)),
        where: [how.join(', '), ranOn(died)].filter((part) => part !== '').join('; '),
      };
    }
    case 'ITEM_TIMED_OUT':
      return { limit: durationText(timeoutMs ?? 0), where: ranOn(attempts.slice(-1)) || task.name };
    case 'ITEM_LOST': {
      const isForked = attempts.some(({ withItsServer }) => withItsServer === true);
      const where = [ranOn(attempts) || task.name, ...(isForked ? ['with its fork server'] : [])].join(', ');
      return { losses: timesText(Math.max(1, attempts.length)), where };
    }
    case 'RESULT_UNREADABLE':
      return { where: ranOn(attempts) || task.name };
    default:
      // A child that cannot send a result says why in the fields of the error it sends in its place.
      return plainFacts(error?.fields ?? {});
  }
}

/** `SIGSEGV`, `exit code 3`, `SIGKILL with its fork server` */
function endOf({ exitCode, signal, withItsServer }: ItemAttempt): string {
  return `${signal ?? `exit code ${exitCode}`}${withItsServer === true ? ' with its fork server' : ''}`;
}

/** What an input has thrown, which may be anything. */
function inWords(error: unknown): { error: unknown; reason: string } {
  try {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { error, reason: shownText(reason) };
  } catch {
    return { error, reason: 'it has no text' };
  }
}

function plainFacts(fields: Readonly<Record<string, unknown>>): Facts {
  const facts: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      facts[name] = value;
    }
  }
  return facts;
}

function reasonOf(error: FailedOutcome['error']): string {
  if (error === undefined) return 'the error could not be sent';
  const { name, message } = error;
  if (message === '') return name;
  return name === '' ? message : `${name}: ${message}`;
}

/** `agent-1 pid 4711, agent-2 pid 4720, 4733`: each agent once for the tries in a row that ran there. */
function ranOn(attempts: readonly ItemAttempt[]): string {
  let agentBefore: string | undefined;
  let pidBefore = false;
  const parts: string[] = [];
  for (const { agent, pid } of attempts) {
    const sameAgent = parts.length > 0 && agent === agentBefore;
    const pidPart = pid === undefined ? [] : [sameAgent && pidBefore ? `${pid}` : `pid ${pid}`];
    const part = [...(sameAgent || agent === undefined ? [] : [agent]), ...pidPart].join(' ');
    if (part !== '') parts.push(part);
    agentBefore = agent;
    pidBefore = pid !== undefined;
  }
  return parts.join(', ');
}

/** `work.ts:4:9`, the place of the topmost frame of a stack that lies in a file of the user's. */
function placeOf(stack: string | undefined): string | undefined {
  for (const line of stack?.split('\n') ?? []) {
    const frame = /^\s+at (.*)$/.exec(line)?.[1];
    if (frame === undefined || frame.includes('node:') || frame.endsWith('(<anonymous>)')) continue;
    // An inline function has no file, and what follows are our own frames.
    if (frame.includes('eval at') || isOwnChild(frame)) return undefined;
    const place = /([^/\\(]+:\d+:\d+)\)?$/.exec(frame)?.[1];
    return place?.replace(/\?[^:]*/, '');
  }
  return undefined;
}

// Frames of our own child are no place that a user could look at.
const isOwnChild = (frame: string): boolean => ownFolders.some((folder) => frame.includes(`${folder}child`));
