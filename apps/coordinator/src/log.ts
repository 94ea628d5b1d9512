import { logRedaction } from '@shoal/credentials';
import { type Logger, pino } from 'pino';

/** Where the coordinator writes what happens: an event name, facts as fields, a sentence. */
export type Log = Logger;

/** A log to stderr, one JSON object a line. stdout belongs to results. */
export function stderrLog(level: string = 'info'): Log {
  return pino({ base: null, level, ...logRedaction }, pino.destination({ fd: 2, sync: true }));
}
