import { logRedaction } from '@shoal/credentials';
import { type Logger, pino } from 'pino';
import { type Terminal, wantsColour } from './terminal.ts';

/**
 * Where a service writes its log: JSON lines on stderr, or readable ones where a person sits before it.
 *
 * `SHOAL_LOG_LEVEL` says how much: `debug`, `info` (the default), `warn`, `error` or `silent`.
 */
export async function serviceLog(terminal: Terminal, defaultLevel: string = 'info'): Promise<Logger> {
  const level = terminal.env['SHOAL_LOG_LEVEL'] ?? defaultLevel;
  const options = {
    base: null,
    ...logRedaction,
    level: level in pino.levels.values || level === 'silent' ? level : defaultLevel,
  };
  // Synchronous: the last lines before an end are those that people look for.
  if (terminal.stderr.isTTY !== true) return pino(options, pino.destination({ fd: 2, sync: true }));
  const { default: pretty } = await import('pino-pretty');
  return pino(
    options,
    pretty({ destination: 2, sync: true, colorize: wantsColour(terminal, terminal.stderr), ignore: 'event' }),
  );
}
