import type { AgentCommand, HeldAttempt, Piece } from '@shoal/node-agent/core';
import { itemsText, othersText, unusualNames, unusualText } from './words.ts';

const types: Readonly<Record<AgentCommand['type'], true>> = {
  dial: true,
  join: true,
  sendHeartbeat: true,
  announceDrain: true,
  openData: true,
  requestSend: true,
  sendBatch: true,
  finishData: true,
  leave: true,
  closeLink: true,
  prepareSetup: true,
  releaseSetup: true,
  keepWork: true,
  dropWork: true,
  startChunk: true,
  recallChunk: true,
  abortChunk: true,
  pauseChildren: true,
  resumeChildren: true,
  holdStarts: true,
  allowStarts: true,
  keepNews: true,
  dropNews: true,
  end: true,
  note: true,
};

/** The names of all commands. */
export const agentCommandTypes: readonly string[] = Object.keys(types);

/**
 * A command of the agent's core in a line. The first word is its name in apps/node-agent/src/core/agent-command.ts.
 * What is as usual is left out (a first try, starts that need no mark); every other field shows.
 */
export function agentCommandText(command: AgentCommand): string {
  const others = (...known: readonly string[]): string => othersText(command, 'type', ...known);
  switch (command.type) {
    case 'join': {
      const held = command.held.map(heldText).join(', ');
      return `join link-${command.link}${others('link', 'held', 'instance')} holds ${held || 'nothing'}`;
    }
    case 'sendHeartbeat': {
      const held = command.held.map((attempt) => `#${attempt}`).join(' ');
      return `sendHeartbeat link-${command.link}${others('link', 'held')} holds ${held || 'nothing'}`;
    }
    case 'sendBatch': {
      const pieces = command.pieces.map(pieceText).join(', ');
      return `sendBatch link-${command.link}${others('link', 'pieces')}: ${pieces || 'prints only'}`;
    }
    case 'prepareSetup':
      return `prepareSetup setup-${command.setup} ${command.job}${others('setup', 'job')}`;
    case 'releaseSetup':
      return `releaseSetup setup-${command.setup}${others('setup')}`;
    case 'keepWork': {
      const { attempt, setup, job } = command;
      const work = `#${attempt} ${job}${itemsText(command)} with setup-${setup}`;
      return `keepWork ${work}${others('attempt', 'setup', 'job', 'first', 'count')}`;
    }
    case 'dropWork':
      return `dropWork #${command.attempt} with setup-${command.setup}${others('attempt', 'setup')}`;
    case 'startChunk': {
      const { chunk, attempt, setup, job } = command;
      const unusual = unusualText(command);
      const work = `#${attempt} ${job}${itemsText(command)} with setup-${setup}`;
      const known = ['chunk', 'attempt', 'setup', 'job', 'first', 'count', 'order', ...unusualNames];
      return `startChunk chunk-${chunk} ${work}${unusual}${others(...known)}`;
    }
    case 'recallChunk':
      return `recallChunk chunk-${command.chunk}${others('chunk')}`;
    case 'abortChunk':
      return `abortChunk chunk-${command.chunk}${others('chunk')}`;
    case 'keepNews': {
      const { entry, attempt, content, setup } = command;
      const whose = setup === undefined ? '' : ` of setup-${setup}`;
      return `keepNews news-${entry} of #${attempt}: ${content}${whose}${others('entry', 'attempt', 'content', 'setup')}`;
    }
    case 'dropNews':
      return `dropNews ${command.entries.map((entry) => `news-${entry}`).join(' ')}${others('entries')}`;
    case 'note': {
      const { note } = command;
      const about = note.what === 'dispatchIgnored' ? ` #${note.attempt}` : '';
      return `note ${note.what}${about}${othersText(note, 'what', about === '' ? '' : 'attempt')}`;
    }
    case 'end':
    case 'pauseChildren':
    case 'resumeChildren':
    case 'holdStarts':
    case 'allowStarts':
      return command.type + others();
    default:
      return `${command.type} link-${command.link}${others('link')}`;
  }
}

const heldText = ({ attempt, epoch, job, ...items }: HeldAttempt): string =>
  `#${attempt} (epoch ${epoch}, ${job}${itemsText(items)})`;

/** A whole piece of news, or the part of one that goes out. */
function pieceText({ entry, attempt, fromByte, toByte, more }: Piece): string {
  const part = fromByte > 0 || more ? ` bytes ${fromByte}..${toByte}${more ? ', more to come' : ''}` : '';
  return `news-${entry} of #${attempt}${part}`;
}
