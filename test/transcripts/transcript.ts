import { timeOf, timeText, Words } from './words.ts';

/** A pure core that plays in a transcript: it hears a line and answers with lines. */
export interface Actor {
  /** Takes an event, or a question, at this time. */
  hear(atMs: number, words: Words): string[];
}

/** Puts an actor on the stage, with the settings of the line that names it. */
export type Cast = Readonly<Record<string, (settings: Words) => Actor>>;

/**
 * A driver wakes its core when it was told to. A transcript in which it does not would show what can never happen.
 * Throws an Error that names the tick that is missing.
 */
export function mustNotSleepThrough(deadlineMs: number | undefined, atMs: number): void {
  if (deadlineMs === undefined || deadlineMs >= atMs) return;
  throw new Error(`a clockTicked is due at ${timeText(deadlineMs)}, before this`);
}

const answerMark = '    => ';

/**
 * Plays a transcript and writes it anew, every answer as it is given now. A transcript is right when that changes
 * nothing.
 *
 * A line is one of these:
 *
 *   # a comment                   kept as it is
 *   scheduler leaseMs=10000       who plays, with its settings; once, before the first step
 *   2s  itemsPushed squares 3     a step: when, and what happens
 *   2s,4s  heartbeatReceived …    the same step at several times
 *       => dispatch #1 …          an answer: dropped and given anew
 *
 * Throws an Error that names the line for one that cannot be understood.
 */
export function replay(name: string, text: string, cast: Cast): string {
  let actor: Actor | undefined;
  let nowMs = 0;
  const written: string[] = [];
  const lines = text.replace(/\n*$/, '').split('\n');
  for (const [at, line] of lines.entries()) {
    if (line.trimStart().startsWith('=>')) continue;
    written.push(line);
    if (line === '' || line.startsWith('#')) continue;
    try {
      if (actor === undefined) {
        actor = actorOf(line, cast);
        continue;
      }
      const [times, happening] = stepOf(line);
      const answers: string[] = [];
      for (const atMs of times) {
        if (atMs < nowMs) throw new Error(`${timeText(atMs)} is before ${timeText(nowMs)}`);
        nowMs = atMs;
        const words = new Words(happening);
        const prefix = times.length > 1 ? `${timeText(atMs)}: ` : '';
        answers.push(...actor.hear(atMs, words).map((answer) => prefix + answer));
        words.end();
      }
      if (answers.length === 0) answers.push('nothing');
      written.push(...answers.map((answer) => answerMark + answer));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${name}:${at + 1}: ${reason}\n  ${line}`, { cause: error });
    }
  }
  if (actor === undefined)
    throw new Error(`${name}: no line says who plays: ${Object.keys(cast).join(', ')}`);
  return `${written.join('\n')}\n`;
}

function actorOf(line: string, cast: Cast): Actor {
  const words = new Words(line);
  const role = words.take('who plays');
  const enter = cast[role];
  if (enter === undefined)
    throw new Error(`${role} does not play; these do: ${Object.keys(cast).join(', ')}`);
  const actor = enter(words);
  words.end();
  return actor;
}

function stepOf(line: string): [readonly number[], string] {
  const match = /^(\S+)\s+(\S.*)$/.exec(line);
  if (match === null) throw new Error('a step is a time and what happens then');
  return [(match[1] as string).split(',').map(timeOf), match[2] as string];
}
