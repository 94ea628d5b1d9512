/**
 * Messages of a child, checked field by field: task code runs in there, so nothing about them is taken for granted.
 * Whatever is not as it should be is a {@link FrameError}, and its child is killed.
 */
import type { Buffer } from 'node:buffer';
import type {
  ExitingMessage,
  ItemFailedMessage,
  PrintMessage,
  StartedMessage,
  TaskUnloadableMessage,
} from '../child/message.ts';
import { FrameError, readMessage } from '../frames.ts';

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(body: Buffer): { fields: Fields; bytes: Buffer } {
  const { message, bytes } = readMessage(body);
  if (typeof message !== 'object' || message === null) throw new FrameError('A message is no object.');
  return { fields: message as Fields, bytes };
}

function integer(fields: Fields, name: string): number {
  const value = fields[name];
  if (!Number.isSafeInteger(value)) throw new FrameError(`${name} is no integer.`);
  return value as number;
}

function amount(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !(value >= 0)) throw new FrameError(`${name} is no amount.`);
  return value;
}

function text(fields: Fields, name: string, charsMax: number): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new FrameError(`${name} is no text.`);
  return value.slice(0, charsMax);
}

function boolean(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value !== 'boolean') throw new FrameError(`${name} is neither true nor false.`);
  return value;
}

function oneOf<T extends string>(fields: Fields, name: string, values: readonly T[]): T {
  const found = values.find((value) => value === fields[name]);
  if (found === undefined) throw new FrameError(`${name} is none of ${values.join(', ')}.`);
  return found;
}

export function readStarted(body: Buffer): StartedMessage {
  return { pid: integer(fieldsOf(body).fields, 'pid') };
}

export function readItemFailed(body: Buffer): ItemFailedMessage & { readonly error: Buffer } {
  const { fields, bytes } = fieldsOf(body);
  return {
    chunk: integer(fields, 'chunk'),
    index: integer(fields, 'index'),
    code: oneOf(fields, 'code', ['ITEM_THREW', 'VALUE_NOT_PORTABLE', 'RESULT_TOO_LARGE']),
    retryable: boolean(fields, 'retryable'),
    ms: amount(fields, 'ms'),
    summary: text(fields, 'summary', 1_024),
    facts: refusalFactsOf(fields['facts']),
    error: bytes,
  };
}

/** What the messages of VALUE_NOT_PORTABLE and RESULT_TOO_LARGE are made of; nothing else is taken from a child. */
const refusalFacts = ['what', 'path', 'kind', 'size', 'limit', 'option', 'sizeBytes', 'limitBytes'];

function refusalFactsOf(told: unknown): Record<string, string | number> {
  const facts: Record<string, string | number> = {};
  for (const name of refusalFacts) {
    const value = (told as Fields | null | undefined)?.[name];
    if (typeof value === 'string' || typeof value === 'number') facts[name] = value;
  }
  return facts;
}

export function readTaskUnloadable(body: Buffer): TaskUnloadableMessage & { readonly error: Buffer } {
  const { fields, bytes } = fieldsOf(body);
  const facts: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries((fields['facts'] as Fields | undefined) ?? {})) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      facts[name] = value;
  }
  return {
    chunk: integer(fields, 'chunk'),
    code: oneOf(fields, 'code', ['TASK_LOAD_FAILED', 'TASK_EXPORT_MISSING', 'POOL_IN_TASK_MODULE']),
    facts,
    error: bytes,
  };
}

export function readPrint(body: Buffer): PrintMessage {
  const { fields } = fieldsOf(body);
  return {
    stream: oneOf(fields, 'stream', ['stdout', 'stderr']),
    text: text(fields, 'text', 1024 * 1024),
    ...('chunk' in fields ? { chunk: integer(fields, 'chunk') } : {}),
    ...('index' in fields ? { index: integer(fields, 'index') } : {}),
    ...('task' in fields ? { task: text(fields, 'task', 1_024) } : {}),
  };
}

export function readExiting(body: Buffer): ExitingMessage {
  const running: unknown = fieldsOf(body).fields['running'];
  if (!Array.isArray(running)) throw new FrameError('running is no list.');
  return {
    running: running.map((item: unknown) => {
      if (typeof item !== 'object' || item === null) throw new FrameError('A running item is no object.');
      return { chunk: integer(item as Fields, 'chunk'), index: integer(item as Fields, 'index') };
    }),
  };
}
