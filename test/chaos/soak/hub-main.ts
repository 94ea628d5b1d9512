/**
 * What runs beside the coordinator of a soak, in its network: `node hub-main.ts '{"address": …}'`. A fault proxy for each
 * who connects, and an operator. It does what its parent asks over Node's channel and ends with it.
 */
import { ClusterClient } from '@shoal/client';
import { FaultProxy, type Faults, type UntoldSide } from '../fault-proxy.ts';

/** What a hub is told. */
export interface HubOrder {
  /** The coordinator's. */
  readonly address: string;
  /** Who gets a proxy. */
  readonly for: readonly string[];
  /** Where the proxies listen: an address of this machine. */
  readonly listen: string;
  readonly seed: number;
}

/** What can be asked of a hub. */
export type Ask =
  | { readonly ask: 'ports' | 'status' | 'hangUp' | 'tell' }
  | { readonly ask: 'drain' | 'resume'; readonly agent: string }
  | { readonly ask: 'set'; readonly of: string; readonly faults: Faults }
  | { readonly ask: 'reset' | 'refuse' | 'mend'; readonly of: string }
  | { readonly ask: 'halfOpen'; readonly of: string; readonly untold: UntoldSide };

const order = JSON.parse(process.argv[2] ?? '{}') as HubOrder;
const proxies = new Map<string, FaultProxy>();
for (const [at, name] of order.for.entries()) {
  const options = { seed: order.seed + at, listen: order.listen };
  proxies.set(name, await FaultProxy.to(order.address, options));
}
let operator: ClusterClient | undefined;

async function answer(ask: Ask): Promise<unknown> {
  switch (ask.ask) {
    case 'ports':
      return Object.fromEntries([...proxies].map(([name, { address }]) => [name, address.split(':')[1]]));
    case 'status':
      return (await atTheDesk()).status();
    case 'drain':
      return (await atTheDesk()).drainAgent(ask.agent);
    case 'resume':
      return (await atTheDesk()).resumeAgent(ask.agent);
    case 'hangUp':
      await operator?.[Symbol.asyncDispose]();
      operator = undefined;
      return;
    case 'tell':
      for (const proxy of proxies.values()) proxy.tell();
      return;
    default:
      return onTheWire(ask);
  }
}

/** Answers how many connections there were to strike. */
function onTheWire(ask: Extract<Ask, { readonly of: string }>): number {
  const proxy = proxies.get(ask.of);
  if (proxy === undefined) throw new Error(`There is no proxy for ${ask.of}.`);
  const { connections } = proxy;
  if (ask.ask === 'set') proxy.set(ask.faults);
  else if (ask.ask === 'halfOpen') proxy.halfOpen(ask.untold);
  else proxy[ask.ask]();
  return connections;
}

async function atTheDesk(): Promise<ClusterClient> {
  operator ??= await ClusterClient.open(order.address);
  return operator;
}

process.on('message', async ({ id, ...ask }: Ask & { readonly id: number }) => {
  const reply = await answer(ask).then(
    (value) => ({ id, value }),
    (error: unknown) => ({ id, error: error instanceof Error ? error.message : String(error) }),
  );
  if (process.connected) process.send?.(reply);
});
process.once('disconnect', () => process.exit());
