import type { KeyTraits } from '../core/pool-event.ts';
import { nodeOptions } from '../launchers/node-options.ts';
import type { ChildSetup } from './chunk-request.ts';

/** Options with which Node runs nothing until somebody has attached a debugger. */
const waitingOptions = /(^|\s)--inspect-(brk|wait)(?=[=\s]|$)/;

/** Chunks come by the thousand, and share few setups. */
const known = new WeakMap<ChildSetup, KeyTraits>();

/** What the pool machine has to know of all children of a setup. */
export function keyTraitsOf(setup: ChildSetup): KeyTraits {
  let traits = known.get(setup);
  if (traits === undefined) {
    const { env, execArgv, maxAgeMs } = setup;
    traits = {
      ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
      ...(waitingOptions.test(nodeOptions(execArgv, env)) ? { waitsForDebugger: true } : {}),
    };
    known.set(setup, traits);
  }
  return traits;
}
