import { expect, test } from 'vitest';
import { cast } from './cast.ts';
import { replay } from './transcript.ts';

const play = (...lines: readonly string[]): string[] =>
  replay('story.txt', `${lines.join('\n')}\n`, cast)
    .trimEnd()
    .split('\n');

test('answers are given anew, everything else is kept as it was written', () => {
  expect(
    play(
      '# A story',
      'scheduler',
      '',
      '0s  jobCreated squares windowItems=5',
      '    => something that was never true',
      '# told at length',
      '1s,2s  drainRequested nobody',
    ),
  ).toEqual([
    '# A story',
    'scheduler',
    '',
    '0s  jobCreated squares windowItems=5',
    '    => grantItems squares upTo=5',
    '# told at length',
    '1s,2s  drainRequested nobody',
    '    => nothing',
  ]);
});

test('each answer to a step at several times says when it was given', () => {
  const steps = ['0s  jobCreated squares', '1s,2s  itemsPushed squares 1', '2s  agentJoined a/1 slots=2'];
  const beats = '3s,4s  heartbeatReceived a/1 holds #9';
  expect(play('scheduler', ...steps, beats).slice(-2)).toEqual([
    '    => 3s: revoke #9 from a/1 notYours',
    '    => 4s: revoke #9 from a/1 notYours',
  ]);
});

test('a transcript in which the driver sleeps through a deadline is refused', () => {
  const late = ['0s  agentJoined a/1 slots=1', '11s  sessionClosed a/1'];
  expect(() => play('scheduler', ...late)).toThrow('a clockTicked is due at 10s, before this');
});

test.each([
  ['scheduler leesMs=5', 'story.txt:1: nobody knows what to do with "leesMs"'],
  ['schedular', 'story.txt:1: schedular does not play; these do: scheduler, agent'],
  ['scheduler\n0s  jobMade squares', 'story.txt:2: jobMade is no event of the scheduler'],
  ['scheduler\n2s  clockTicked\n1s  clockTicked', 'story.txt:3: 1s is before 2s'],
  ['scheduler\nclockTicked', 'story.txt:2: a step is a time and what happens then'],
  ['# nobody', 'story.txt: no line says who plays: scheduler, agent'],
])('%j is refused, and the line named', (text, reason) => {
  expect(() => play(text)).toThrow(reason);
});
