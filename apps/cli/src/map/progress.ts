import { countedText } from '@shoal/errors';
import type { SingleBar } from 'cli-progress';
import { type Terminal, wantsColour } from '../terminal.ts';
import { waitingText } from './waiting-notice.ts';

/** Where a job stands, as its progress is shown. */
export interface Count {
  readonly done: number;
  readonly failed: number;
  /** Undefined while the length of the input is not known. */
  readonly total: number | undefined;
  /** Why it stands still, if it does. */
  readonly waitingFor?: string | undefined;
}

/** Shows how far a job is, on stderr. */
export interface Progress {
  /** Lets another line out without tearing the bar. */
  line(text: string): void;
  /** Ends it; the last state stays to be read. */
  stop(): void;
}

/** One line so often where no terminal could redraw a bar: enough for a log, too few to fill it. */
const plainEveryMs = 5000;
/** A job that is over before this shows no bar: it would only flicker. */
const barAfterMs = 500;

/** A bar on a terminal, a line every five seconds elsewhere. `count` is asked for the state whenever it is shown. */
export function startProgress(
  terminal: Terminal,
  count: () => Count,
  resultsOnTerminal: boolean,
  now: () => number = () => performance.now(),
): Progress {
  const startedAt = now();
  // Results that scroll through the same terminal are progress enough, and a bar among them would be torn.
  if (terminal.stderr.isTTY === true && resultsOnTerminal) return silent(terminal);
  if (terminal.stderr.isTTY === true) return barProgress(terminal, count, startedAt, now);
  const timer = setInterval(() => {
    terminal.stderr.write(`${plainLine(count(), (now() - startedAt) / 1000)}\n`);
  }, plainEveryMs);
  timer.unref();
  return { line: (text) => void terminal.stderr.write(`${text}\n`), stop: () => clearInterval(timer) };
}

const silent = (terminal: Terminal): Progress => ({
  line: (text) => void terminal.stderr.write(`${text}\n`),
  stop: () => {},
});

/** `1,200 of 10,000 items (12 %), 3 failed, 240 a second, 37 s left`, or in place of the end `waits: all slots busy`. */
export function plainLine({ done, failed, total, waitingFor }: Count, seconds: number): string {
  const ended = done + failed;
  const rate = seconds > 0 ? ended / seconds : 0;
  const parts = [
    total === undefined
      ? countedText(ended, 'item')
      : `${grouped(ended)} of ${countedText(total, 'item')} (${Math.floor((100 * ended) / Math.max(1, total))} %)`,
    ...(failed > 0 ? [`${grouped(failed)} failed`] : []),
    `${grouped(Math.round(rate))} a second`,
    // While it stands still nobody knows: the time would grow from line to line.
    ...(waitingFor === undefined && total !== undefined && rate > 0 && ended < total
      ? [`${grouped(Math.ceil((total - ended) / rate))} s left`]
      : []),
    ...(waitingFor === undefined ? [] : [waitingText(waitingFor)]),
  ];
  return parts.join(', ');
}

const grouped = (value: number): string => value.toLocaleString('en-US');

function barProgress(terminal: Terminal, count: () => Count, startedAt: number, now: () => number): Progress {
  let bar: SingleBar | undefined;
  let stopped = false;
  let loading = false;
  const refresh = async (): Promise<void> => {
    if (bar === undefined) {
      if (loading || now() - startedAt < barAfterMs) return;
      loading = true;
      bar = await loadBar(terminal);
      // We look again after the await: the job may be over.
      if (stopped) return;
      bar.start(count().total ?? 0, 0, { text: '' });
    }
    const state = count();
    if (state.total !== undefined) bar.setTotal(state.total);
    bar.update(state.done + state.failed, { text: plainLine(state, (now() - startedAt) / 1000) });
  };
  const timer = setInterval(() => void refresh(), 200);
  timer.unref();
  return {
    line: (text) => {
      // Clear the bar's line, write ours; the next refresh draws the bar below it.
      terminal.stderr.write(bar === undefined ? `${text}\n` : `\r\u001b[K${text}\n`);
    },
    stop: () => {
      stopped = true;
      clearInterval(timer);
      if (bar?.isActive === true) {
        const state = count();
        bar.update(state.done + state.failed, { text: plainLine(state, (now() - startedAt) / 1000) });
        bar.stop();
      }
    },
  };
}

async function loadBar(terminal: Terminal): Promise<SingleBar> {
  const { default: progress } = await import('cli-progress');
  const colour = wantsColour(terminal, terminal.stderr);
  return new progress.SingleBar({
    stream: terminal.stderr as NodeJS.WriteStream,
    format: colour ? '\u001b[36m{bar}\u001b[39m {text}' : '{bar} {text}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    // A killed command cannot put the terminal back as it was; so it changes nothing of it.
    hideCursor: false,
    linewrap: true,
    gracefulExit: false,
    forceRedraw: true,
  });
}
