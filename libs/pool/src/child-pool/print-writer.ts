import type { Writable } from 'node:stream';
import { shownText } from '@shoal/errors';
import { checkOptions, isRecord, type OptionCheck, wrongType } from '../options/option-checks.ts';
import type { Print } from './chunk-request.ts';

const writable: OptionCheck = (name, value) => {
  if (isRecord(value) && typeof value['write'] === 'function') return value;
  throw wrongType(name, 'a stream that can be written to', value);
};

/** Where prints go. */
interface PrintStreams {
  readonly stdout?: Pick<Writable, 'write'>;
  readonly stderr?: Pick<Writable, 'write'>;
}

/**
 * Shows what tasks print, as whole lines with who said it:
 *
 *   (transform pid=4720 item=3) processing record Marie Curie
 *   (transform agent-2 pid=4720 item=3) processing record Marie Curie
 */
export class PrintWriter {
  readonly #streams: PrintStreams;

  /**
   * Defaults: this process's own streams, from the first print on: Node makes them when they are first asked for. Throws a
   * TypeError for anything that cannot be written to.
   */
  constructor(streams: PrintStreams = {}) {
    this.#streams =
      checkOptions('PrintWriter options', streams, { stdout: writable, stderr: writable }) ?? {};
  }

  /** Shows what one task printed; a writer of your own may show it otherwise. */
  write(print: Print, agent: string | undefined): void {
    const said = [
      // Of an agent, which may say anything.
      print.task === undefined ? undefined : shownText(print.task).replaceAll(/\s+/g, ' '),
      agent,
      `pid=${print.pid}`,
      print.index === undefined ? undefined : `item=${print.index}`,
    ].filter((part) => part !== undefined);
    const prefix = `(${said.join(' ')}) `;
    // One write for all lines of a print: lines of several children must not mix.
    const text = print.text.replace(/^/gm, prefix);
    (this.#streams[print.stream] ?? process[print.stream]).write(`${text}\n`);
  }
}
