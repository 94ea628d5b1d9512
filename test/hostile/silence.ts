import { once } from 'node:events';
import { connect as dial, type Socket } from 'node:net';
import { connect } from 'shoal';
import { Victim } from './victim.ts';

const items = Array.from({ length: 60_000 }, (_, at) => at);
const rounds = 5;

/** Connections that say nothing, from as many addresses of this machine as it takes. */
export async function openSilent(address: string, count: number, perAddress: number): Promise<Socket[]> {
  const port = Number(address.split(':')[1]);
  const sockets: Socket[] = [];
  for (let from = 0; from < count; from += 200) {
    const some = Array.from({ length: Math.min(200, count - from) }, (_, at) => {
      const localAddress = `127.0.${1 + Math.floor((from + at) / perAddress)}.1`;
      const socket = dial({ port, host: '127.0.0.1', localAddress });
      socket.on('error', () => {});
      return socket;
    });
    await Promise.all(some.map((socket) => once(socket, 'connect')));
    sockets.push(...some);
  }
  return sockets;
}

/** Which part of the throughput silent connections cost: rounds without and with them, one after another, medians. */
export async function silenceCosts(count: number): Promise<{ readonly lost: number; readonly held: number }> {
  await using victim = await Victim.start([
    ...['--max-connections', String(count + 100), '--first-byte-ms', '600000'],
  ]);
  await using pool = await connect(victim.address);
  const round = async (): Promise<number> => {
    const fromMs = performance.now();
    await pool.map((x: number) => x + 1, items);
    return items.length / (performance.now() - fromMs);
  };
  await round();
  const [without, withThem]: [number[], number[]] = [[], []];
  let held = 0;
  for (let at = 0; at < rounds; at++) {
    without.push(await round());
    const sockets = await openSilent(victim.address, count, 1_900);
    await round();
    withThem.push(await round());
    held = sockets.filter(({ destroyed }) => !destroyed).length;
    for (const socket of sockets) socket.destroy();
    await round();
  }
  return { lost: 1 - median(withThem) / median(without), held };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
