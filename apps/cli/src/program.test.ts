import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { buildProgram } from './program.ts';
import { processTerminal } from './terminal.ts';

function* textsOf(command: Command): Generator<string> {
  yield command.description();
  for (const { description } of command.options) yield description;
  for (const inner of command.commands) yield* textsOf(inner);
}

function* commandsIn(command: Command): Generator<Command> {
  for (const inner of command.commands) {
    yield inner;
    yield* commandsIn(inner);
  }
}

test('every command that is shown says in sentences what it does', () => {
  const program = buildProgram(processTerminal('shoal'), () => {});
  const silent = [...commandsIn(program)].filter((command) => !/^[A-Z].*\.$/s.test(command.description()));
  expect(silent.map((command) => command.name())).toEqual(['version']);
});

test('no help breaks a line in the middle of a sentence: how long lines are is for the terminal to say', () => {
  const texts = [...textsOf(buildProgram(processTerminal('shoal'), () => {}))];
  expect(texts.length).toBeGreaterThan(100);
  expect(texts.filter((text) => /[^.\n]\n[^\n]/.test(text))).toEqual([]);
});
