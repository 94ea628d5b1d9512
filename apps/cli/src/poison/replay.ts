import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ShoalError, timesText } from '@shoal/errors';
import { Pool, PrintWriter } from '@shoal/pool';
import { onOneLine } from '../complaint.ts';
import { exitCode } from '../exit-code.ts';
import { exitCodeOfSignal, Interruption } from '../interruption.ts';
import { resultLine } from '../map/output-line.ts';
import { writeOut } from '../output.ts';
import { systemReason } from '../system-reason.ts';
import type { Terminal } from '../terminal.ts';
import { moduleDigest, readPoison } from './poison-file.ts';
import { replayEnding } from './replay-ending.ts';

/** A replay as the command line asks for it. */
export interface ReplayRequest {
  readonly file: string;
  /** In milliseconds; without it the limit that the item had. */
  readonly timeout?: number;
}

/** Runs a saved item alone, once, in a fresh process of this machine, and resolves to the exit code. */
export async function replay(request: ReplayRequest, terminal: Terminal): Promise<number> {
  const poison = await readPoison(request.file);
  const { task, index, item } = poison;
  const say = (text: string): void => void terminal.stderr.write(`shoal: ${onOneLine(text)}\n`);
  const path = fileURLToPath(task.url);
  await stat(path).catch((error: unknown) => {
    throw new ShoalError('FILE_NOT_USABLE', { path, reason: systemReason(error) });
  });
  const { code, attempts } = poison.failure;
  say(
    `item ${index} of ${path}#${task.export}, which failed before (${code}, tried ${timesText(attempts.length)})`,
  );
  if (poison.moduleSha256 !== undefined && moduleDigest(task.url) !== poison.moduleSha256) {
    say(`${path} has changed since.`);
  }

  const timeoutMs = request.timeout ?? poison.timeoutMs;
  const pool = new Pool({ processes: 1, printer: new PlainPrints(terminal) });
  using interruption = new Interruption(() => void pool.terminate());
  try {
    const [outcome] = await pool.mapSettled(task.url, [item], { export: task.export, retries: 0, timeoutMs });
    const line = outcome?.status === 'fulfilled' ? resultLine(outcome.value, index) : outcome?.error;
    if (typeof line === 'string') {
      say(`item ${index} gave a result this time.`);
      await writeOut(terminal, `${line}\n`);
      return exitCode.done;
    }
    if (line !== undefined) terminal.stderr.write(`${replayEnding(line, index, timeoutMs)}\n`);
    return exitCode.failed;
  } catch (error) {
    if (interruption.signal !== undefined) return exitCodeOfSignal(interruption.signal);
    throw error;
  } finally {
    await pool.terminate();
  }
}

/** What a lone task prints needs nobody's name, and is no result: it goes to stderr as it is. */
class PlainPrints extends PrintWriter {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    super();
    this.#terminal = terminal;
  }

  override write({ text }: Parameters<PrintWriter['write']>[0]): void {
    this.#terminal.stderr.write(`${text}\n`);
  }
}
