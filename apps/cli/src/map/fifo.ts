import { close, constants, open } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/**
 * FIFOs, opened so that whoever is not at their other end keeps nobody from leaving.
 *
 * As a file is opened and read, each of these waits for the other end in a thread of its own, which nothing can call
 * back: not the end of a deadline, not Ctrl-C, not the end of the process.
 */

const openDescriptor = promisify(open);
const closeDescriptor = promisify(close);
const { O_APPEND, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** Nothing tells that somebody reads a FIFO: it is tried again. */
const readerPollMs = 50;

/** Its input ends when the last writer of those that came has left. Errors: those of the system. */
export async function openFifoToRead(path: string): Promise<Socket> {
  const fd = await openDescriptor(path, O_RDONLY | O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}

/** Waits for somebody who reads it. Errors: those of the system; the reason of `signal` as soon as that aborts. */
export async function openFifoToWrite(path: string, signal: AbortSignal): Promise<Socket> {
  for (;;) {
    signal.throwIfAborted();
    try {
      const fd = await openDescriptor(path, O_WRONLY | O_APPEND | O_NONBLOCK);
      if (!signal.aborted) return new Socket({ fd, readable: false, writable: true });
      await closeDescriptor(fd);
    } catch (error) {
      const hasNoReader = error instanceof Error && 'code' in error && error.code === 'ENXIO';
      if (!hasNoReader) throw error;
      await delay(readerPollMs, undefined, { signal }).catch(() => {});
    }
  }
}
