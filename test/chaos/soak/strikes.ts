import { setTimeout as sleep } from 'node:timers/promises';
import type { LaneFaults } from '../lane.ts';
import type { Cut } from '../network.ts';
import { startedBy } from '../process-table.ts';
import type { Ask } from './hub-main.ts';
import { type AgentName, agentNames, type Fault, type FaultKind } from './schedule.ts';
import type { SoakWorld } from './world.ts';

/** Where and when a fault strikes. */
export interface Strike extends Fault {
  readonly world: SoakWorld;
  /** Aborted when the job is over: faults end then, whatever they had in mind. */
  readonly over: AbortSignal;
}

/** Why a fault could not strike. It is none then. */
export class Missed extends Error {}

/** How each kind of fault is done. Resolves when all is well again; rejects with {@link Missed} when it struck nobody. */
export const strikes: Readonly<Record<FaultKind, (strike: Strike) => Promise<void>>> = {
  'child killed': async ({ world, target, lot }) => {
    const children = startedBy([world.processOf(target).pid], 'child-main');
    const child = children[Math.floor(lot * children.length)];
    if (child === undefined) throw new Missed('it has no child');
    process.kill(child, 'SIGKILL');
  },
  'agent killed': async (strike) => {
    await strike.world.cluster.killAgent(strike.target);
    await lasts(strike);
    await strike.world.startAgent(agentOf(strike));
  },
  'agent told to end': async (strike) => {
    const { target, world } = strike;
    const agent = world.processOf(target);
    agent.signal('SIGTERM');
    const code = await agent.ended;
    if (code !== 0) world.complaints.push(`${target} was told to end and ended with ${code}`);
    await lasts(strike);
    await world.startAgent(agentOf(strike));
  },
  'agent drained by an operator': async (strike) => {
    const { target: agent, world } = strike;
    // An agent that is not back from what struck it before cannot be drained.
    await world.hub.ask({ ask: 'drain', agent }).catch((error: Error) => {
      throw new Missed(error.message);
    });
    await lasts(strike);
    await world.hub.ask({ ask: 'resume', agent });
  },
  'agent stopped': stop,
  'coordinator stopped': stop,
  'partition, both ways': (strike) => cut(strike, 'both'),
  'partition, packets from it': (strike) => cut(strike, 'from'),
  'partition, packets to it': (strike) => cut(strike, 'to'),
  'client cut off': (strike) => cut(strike, 'both'),
  'connection reset': (strike) => onTheWire(strike, { ask: 'reset', of: strike.target }),
  'reset in the middle of a message': async (strike) => {
    const faults = { toServer: { resetAfterBytes: 3_000 }, toClient: { resetAfterBytes: 2_000 } };
    await whileIt(strike, { ask: 'set', of: strike.target, faults });
  },
  'connection reset, new ones refused': async (strike) => {
    const { target: of, world } = strike;
    await onTheWire(strike, { ask: 'reset', of });
    await world.hub.ask({ ask: 'refuse', of });
    await lasts(strike);
    await world.hub.ask({ ask: 'mend', of });
  },
  'only it believes in its connection': (strike) => halfOpen(strike, 'client'),
  'only the client believes in its connection': (strike) => halfOpen(strike, 'client'),
  'only the coordinator believes in it': (strike) => halfOpen(strike, 'server'),
  'stall, both ways': (strike) => bothLanes(strike, { stalled: true }),
  'stall, bytes from it': async (strike) => {
    await whileIt(strike, { ask: 'set', of: strike.target, faults: { toServer: { stalled: true } } });
  },
  'stall, bytes to it': async (strike) => {
    await whileIt(strike, { ask: 'set', of: strike.target, faults: { toClient: { stalled: true } } });
  },
  delay: (strike) => bothLanes(strike, { delayMs: 50 + Math.round(strike.lot * 250) }),
  jitter: (strike) => bothLanes(strike, { jitterMs: 50 + Math.round(strike.lot * 250) }),
  'bytes in pieces': (strike) => bothLanes(strike, { sliceBytes: 1 + Math.floor(strike.lot * 16) }),
  'little bandwidth': (strike) => bothLanes(strike, { bytesPerSecond: 16_384 }),
};

async function stop(strike: Strike): Promise<void> {
  const service = strike.world.processOf(strike.target);
  service.signal('SIGSTOP');
  await lasts(strike);
  service.signal('SIGCONT');
}

async function cut(strike: Strike, which: Cut): Promise<void> {
  const { target, world } = strike;
  await world.cut(target, which);
  await lasts(strike);
  await world.mend(target, which);
}

function halfOpen(strike: Strike, untold: 'client' | 'server'): Promise<void> {
  return onTheWire(strike, { ask: 'halfOpen', of: strike.target, untold });
}

function bothLanes(strike: Strike, lane: LaneFaults): Promise<void> {
  return whileIt(strike, { ask: 'set', of: strike.target, faults: { toServer: lane, toClient: lane } });
}

async function whileIt(strike: Strike, ask: Ask): Promise<void> {
  await onTheWire(strike, ask);
  await lasts(strike);
  await strike.world.hub.ask({ ask: 'mend', of: strike.target });
}

/** A fault of a connection needs one. */
async function onTheWire({ world }: Strike, ask: Ask): Promise<void> {
  if ((await world.hub.ask(ask)) === 0) throw new Missed('it has no connection');
}

async function lasts({ lastsMs, over }: Strike): Promise<void> {
  await sleep(lastsMs, undefined, { signal: over }).catch(() => {});
}

function agentOf({ target }: Strike): AgentName {
  const name = agentNames.find((each) => each === target);
  if (name === undefined) throw new Error(`${target} is no agent.`);
  return name;
}
