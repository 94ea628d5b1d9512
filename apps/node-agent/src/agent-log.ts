import { countedText, type ShoalError } from '@shoal/errors';
import type { Note } from './core/agent-command.ts';
import type { Log } from './log.ts';

/** Who logs. */
export interface AgentLogParts {
  readonly log: Log;
  readonly agent: string;
  readonly address: string;
  readonly slots: number;
}

/** The agent's life in a line each. */
export class AgentLog {
  readonly #parts: AgentLogParts;

  constructor(parts: AgentLogParts) {
    this.#parts = parts;
  }

  /** `error` is what the note is about, where there is one. */
  note(note: Note['note'], error: ShoalError | undefined): void {
    const { log, agent, address, slots } = this.#parts;
    switch (note.what) {
      case 'joined': {
        const { session, epoch, held } = note;
        const facts = { event: 'agent.joined', agent, address, session, epoch, slots, held };
        log.info(facts, `agent ${agent} joined ${address} with ${countedText(slots, 'slot')}`);
        return;
      }
      case 'disconnected': {
        const { failures, waitMs, why } = note;
        const reason = error?.message ?? reasonOf(note, address);
        const facts = { event: 'agent.disconnected', agent, address, failures, waitMs, why };
        log.warn(facts, `${reason} Trying again in ${waitMs} ms.`);
        return;
      }
      case 'fenced': {
        const silentForMs = Math.round(note.silentForMs);
        const message = 'no answer from the coordinator; nothing new is started until there is one';
        log.warn({ event: 'agent.unanswered', agent, silentForMs }, message);
        return;
      }
      case 'answered':
        log.info({ event: 'agent.answered', agent }, 'the coordinator answers again');
        return;
      case 'abandoned': {
        const { attempts, silentForMs } = note;
        const message = `no coordinator for ${inSeconds(silentForMs)}; ${countedText(attempts, 'attempt')} ${attempts === 1 ? 'was' : 'were'} stopped`;
        log.warn({ event: 'agent.abandoned', agent, attempts }, message);
        return;
      }
      case 'dispatchIgnored': {
        const { attempt } = note;
        const message = `attempt ${attempt} came again; it is not started twice`;
        log.warn({ event: 'attempt.ignored', agent, attempt }, message);
        return;
      }
      case 'draining': {
        const { attempts } = note;
        log.info({ event: 'agent.draining', agent, attempts }, `agent ${agent} drains`);
        return;
      }
      case 'givenBack': {
        const { attempts } = note;
        const message = `${countedText(attempts, 'attempt')} took longer than the drain may; others run ${attempts === 1 ? 'it' : 'them'}`;
        log.info({ event: 'agent.gaveBack', agent, attempts }, message);
        return;
      }
    }
  }

  serviceChanged(inService: boolean): void {
    const { log, agent } = this.#parts;
    if (inService)
      log.info({ event: 'agent.resumed', agent }, 'an operator put this agent back into service');
    else log.info({ event: 'agent.drained', agent }, 'an operator took this agent out of service');
  }

  ended(error: ShoalError | undefined): void {
    const { log, agent } = this.#parts;
    if (error === undefined) log.info({ event: 'agent.stopped', agent }, `agent ${agent} stopped`);
    else log.error({ event: 'agent.failed', agent, code: error.code }, error.message);
  }
}

type Disconnected = Extract<Note['note'], { readonly what: 'disconnected' }>;

function reasonOf({ why, silentForMs }: Disconnected, address: string): string {
  switch (why) {
    case 'superseded':
      return 'A newer session of this agent took the place of this one.';
    case 'silent':
      return 'The coordinator had not heard of this agent for too long.';
    case 'drained':
      return 'The coordinator has drained this agent.';
    case 'shutdown':
      return 'The coordinator stopped.';
    case 'unsaid':
      return 'The coordinator ended the session.';
    case 'joinUnanswered':
      return `${address} does not answer.`;
    case 'unanswered':
      return `The coordinator has not answered for ${inSeconds(silentForMs)}.`;
    case 'epochPast':
      return 'A coordinator answers whose time is past: a later one was seen before.';
    case 'nameTaken':
      return 'Another agent has the name of this one.';
    case 'refused':
      return 'The coordinator refused this agent.';
    case 'linkLost':
      return 'The connection is lost.';
  }
}

const inSeconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
