import type { AttemptFact, FinalFailure, JobOutcome, SchedulerCommand, SessionId } from '@shoal/scheduler';
import { itemsText, othersText, unusualNames, unusualText } from './words.ts';

const types: Readonly<Record<SchedulerCommand['type'], true>> = {
  dispatch: true,
  revoke: true,
  recall: true,
  keepResults: true,
  keepFailure: true,
  releaseItems: true,
  deliver: true,
  releaseResults: true,
  grantItems: true,
  endJob: true,
  endSession: true,
  refuseJoin: true,
  note: true,
};

/** The names of all commands. */
export const schedulerCommandTypes: readonly string[] = Object.keys(types);

/**
 * A command in a line. The first word is its name in libs/scheduler/src/command.ts. What is as usual is left out
 * (a first try, starts that need no mark); every other field shows.
 */
export function schedulerCommandText(
  command: SchedulerCommand,
  agentOf: (session: SessionId) => string,
): string {
  const others = (...known: readonly string[]): string => othersText(command, 'type', ...known);
  switch (command.type) {
    case 'dispatch': {
      const { attempt, job, agent, session } = command;
      const unusual = unusualText(command);
      const known = ['session', 'agent', 'attempt', 'job', 'first', 'count', ...unusualNames];
      return `dispatch #${attempt} ${job}${itemsText(command)} to ${agent}/${session}${unusual}${others(...known)}`;
    }
    case 'revoke': {
      const { attempt, session, reason } = command;
      const from = `${agentOf(session)}/${session}`;
      return `revoke #${attempt} from ${from} ${reason}${others('attempt', 'session', 'reason')}`;
    }
    case 'recall': {
      const { attempt, session } = command;
      return `recall #${attempt} from ${agentOf(session)}/${session}${others('attempt', 'session')}`;
    }
    case 'keepResults':
    case 'releaseItems':
    case 'deliver':
      return `${command.type} ${command.job}${itemsText(command)}${others('job', 'first', 'count')}`;
    case 'keepFailure': {
      const { job, index, failure, withPayload } = command;
      const item = `${job}${itemsText({ first: index, count: 1 })}`;
      const payload = withPayload ? ' withPayload' : '';
      const rest = others('job', 'index', 'failure', 'withPayload');
      return `keepFailure ${item} ${failure.kind}${payload}${rest}: ${triesText(failure)}`;
    }
    case 'grantItems':
    case 'releaseResults':
      return `${command.type} ${command.job}${others('job')}`;
    case 'endJob':
      return `endJob ${command.job} ${outcomeText(command.outcome)}${others('job', 'outcome')}`;
    case 'endSession': {
      const { session, reason } = command;
      return `endSession ${agentOf(session)}/${session} ${reason}${others('session', 'reason')}`;
    }
    case 'refuseJoin':
      return `refuseJoin ${command.agent}/${command.session}${others('agent', 'session')}`;
    case 'note': {
      const { note } = command;
      const about = 'attempt' in note ? ` #${note.attempt}` : ` ${'agent' in note ? note.agent : note.job}`;
      return `note ${note.what}${about}${othersText(note, 'what', 'attempt', 'agent', 'job')}`;
    }
  }
}

function outcomeText(outcome: JobOutcome): string {
  return outcome.state + othersText(outcome, 'state');
}

/** Every try of an item that has failed for good: where it ran and what became of its process. */
function triesText({ attempts, ...failure }: FinalFailure): string {
  const tries = attempts.map(({ agent, ...fact }: AttemptFact) => (agent ?? 'here') + othersText(fact));
  return tries.join(', ') + othersText(failure, 'kind');
}
