import { once } from 'node:events';
import { connect } from 'node:net';
import { type LimitName, limits } from './limits.ts';

/**
 * What somebody says who was cut off at the door of a coordinator and wants to know why. It is neither TLS nor HTTP/2:
 * whoever has a place and says this is cut off like anybody who talks nonsense.
 */
export const doorQuestion: string = 'SHOAL WHY?\n';
/** Limits of the front door that whoever is turned away is told of. */
const told: readonly LimitName[] = ['connections', 'connectionsPerPeer'];

/**
 * The answer, in the clear whether the port has TLS or not: the name of the limit and its value, and nothing else. The same
 * is what a connection that is closed for a limit is told last, as far as it can be told anything.
 */
export const fullNotice = (limit: LimitName, most: number): string => `LIMIT_REACHED ${limit} ${most}\n`;

/** The words for a {@link fullNotice}; undefined for anything else. */
export function wordsOfNotice(text: string): string | undefined {
  const [, name = '', most = ''] = /^LIMIT_REACHED (\w{1,40}) (\d{1,15})\n$/.exec(text) ?? [];
  const limit = told.find((each) => each === name);
  if (limit === undefined) return undefined;
  const option = (limits[limit].option ?? '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const whose = limit === 'connections' ? '' : ' from one address';
  const count = Number(most).toLocaleString('en-US');
  return `it has as many connections${whose} as it takes: ${count} (shoal coordinator --${option})`;
}

/**
 * Why a coordinator turns connections away at its door, in words; undefined where it does not. This finds the words for
 * a connection that has failed. Undefined, too, when `signal` aborts first.
 */
export async function doorNotice(
  host: string,
  port: number,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const socket = connect({ host, port });
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const over = signal === undefined ? late : AbortSignal.any([late, signal]);
    socket.write(doorQuestion);
    const [first] = (await once(socket, 'data', { signal: over })) as [Buffer];
    return wordsOfNotice(first.toString('latin1'));
  } catch {
    return undefined;
  } finally {
    socket.on('error', () => {});
    socket.destroy();
  }
}
