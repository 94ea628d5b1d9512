import { labelEntriesMax, labelFault, ShoalError, timerMsMax } from '@shoal/errors';
import { type CommanderError, InvalidArgumentError } from 'commander';
import { withoutTokens } from './token-shape.ts';

/** The command line is wrong: what is wrong with it, and what to type instead. */
export function usageError(reason: string, hint: string = ''): ShoalError {
  return new ShoalError('USAGE', { reason, hint });
}

/**
 * Turns commander's complaint (`error: unknown option '--x'\n(Did you mean --y?)`) into ours. `command` is what was typed
 * so far that is one: `shoal map`.
 */
export function fromCommander(error: CommanderError, command: string): ShoalError {
  // It repeats what was typed, and logs keep that.
  const text = withoutTokens(error.message.replace(/^error: /, ''));
  const [end, suggestion] = /\n\((Did you mean [^\n]*)\)$/.exec(text) ?? [''];
  // What is left of line breaks was typed.
  const reason = text
    .slice(0, text.length - end.length)
    .replace(/\.$/, '')
    .replaceAll('\n', '\\n');
  return usageError(reason, suggestion ?? `See ${command} --help.`);
}

/** Reads an option that is a whole number from `least` on. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Give a whole number from ${least} on.`);
    }
    return value;
  };
}

/** Reads an option that is a whole number from `least` to `most`, negative ones included. */
export function wholeNumberWithin(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) {
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** Reads an option that is a time in milliseconds, as long as a timer can wait at most. */
export const milliseconds: (text: string) => number = wholeNumberWithin(1, timerMsMax);

/** Reads an option that is labels: `gpu=a100,zone=north`. */
export function labels(text: string): Readonly<Record<string, string>> {
  const entries = text.split(',').map((entry) => /^([^=\s]+)=(\S*)$/.exec(entry.trim())?.slice(1) ?? []);
  const found = Object.fromEntries(entries.map(([name = '', value = '']) => [name, value]));
  if (Object.hasOwn(found, '') || Object.keys(found).length < entries.length) {
    throw new InvalidArgumentError('Give labels as NAME=VALUE,…, each name once: gpu=a100,zone=north.');
  }
  if (entries.length > labelEntriesMax) {
    throw new InvalidArgumentError(`Give at most ${labelEntriesMax} labels.`);
  }
  for (const [name, value] of Object.entries(found)) {
    const fault = labelFault(name, value);
    if (fault !== undefined) throw new InvalidArgumentError(`${fault}.`);
  }
  return found;
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Reads an option that is a time: `500ms`, `30s`, `5m`, `1h`; as long as a timer can wait at most. */
export function duration(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Math.round(Number(amount) * (unitMs[unit ?? ''] ?? Number.NaN));
  if (!Number.isSafeInteger(ms) || ms < 1) {
    throw new InvalidArgumentError('Give a time with its unit: 500ms, 30s, 5m or 1h.');
  }
  if (ms > timerMsMax) throw new InvalidArgumentError('Give at most 596h.');
  return ms;
}

const sizeUnits = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['', 1],
] as const;

/** A size as one may give it, in the biggest unit that leaves a whole number: `64KiB`, `1GiB`. */
function sizeText(bytes: number): string {
  const [unit, size] = sizeUnits.find(([, each]) => bytes % each === 0) ?? ['', 1];
  return `${bytes / size}${unit}`;
}

const unitBytes: Readonly<Record<string, number>> = Object.fromEntries(sizeUnits);

/** Reads an option that is a number of bytes, from `least` (1 KiB) to `most`: `65536`, `512KiB`, `64MiB`, `1GiB`. */
export function byteSize(most: number = 2 ** 30, least: number = 2 ** 10): (text: string) => number {
  return (text) => {
    const [, amount, unit] = /^(\d+)(KiB|MiB|GiB|)$/.exec(text) ?? [];
    const bytes = Number(amount) * (unitBytes[unit ?? ''] ?? Number.NaN);
    if (!(bytes >= least && bytes <= most)) {
      throw new InvalidArgumentError(
        `Give bytes, from ${sizeText(least)} to ${sizeText(most)}, as a number or with KiB, MiB or GiB.`,
      );
    }
    return bytes;
  };
}

/** Reads an option that is an address: `HOST:PORT`. */
export function address(text: string): string {
  if (!isAddress(text)) throw new InvalidArgumentError(`Give HOST:PORT, such as ${exampleOf(text, 7300)}.`);
  return text;
}

/** Reads an option that is an address, or `off`. */
export function addressOrOff(text: string): string {
  if (text !== 'off' && !isAddress(text)) {
    throw new InvalidArgumentError(`Give HOST:PORT, such as ${exampleOf(text, 8300)}, or off.`);
  }
  return text;
}

/** IPv6 wants brackets: its colons would be that of the port. */
const exampleOf = (text: string, port: number): string =>
  /:[^:]*:/.test(text) && !text.includes('//')
    ? `[::1]:${port}: an IPv6 address in brackets`
    : `127.0.0.1:${port}`;

function isAddress(text: string): boolean {
  const [, , , port] = /^(\[[0-9a-fA-F:.]+\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text) ?? [];
  return port !== undefined && Number(port) <= 65_535;
}
