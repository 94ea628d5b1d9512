import { childSetupOf, optionsOf, type PoolOptions } from '@shoal/pool';
import type { ClusterSetup } from './job-messages.ts';

// Of the caller's own arguments, those that mean the same on another machine: they name no file, port or test.
const travels =
  /^(?:-C$|--(?:max-|stack-|expose|harmony|no-harmony|no-warnings|disable-warning|unhandled-rejections|conditions|experimental-))/;

/** What the children of a connection are like, out of its options. */
export function clusterSetupOf(options: PoolOptions): ClusterSetup {
  // The whole environment, which is a local pool's default, would carry this machine's secrets and paths to others;
  // agents pass on a few variables of their own instead (PATH, HOME, ...).
  const { env, execArgv, output, stdio } = childSetupOf({ ...options, env: options.env ?? [] }, undefined);
  const asked = options.execArgv ?? optionsOf(execArgv, (option) => travels.test(option));
  return {
    env,
    // Whoever names an environment gets that one, as on this machine.
    onlyEnv: options.env !== undefined,
    // Bundles are compiled; stack traces have to show what the user wrote.
    execArgv: asked.includes('--enable-source-maps') ? asked : [...asked, '--enable-source-maps'],
    stdio,
    maxRssBytes: options.maxRssBytes,
    maxAgeMs: options.maxAgeMs,
    startChildren: options.startChildren,
    preload: options.preload ?? false,
    isolation: options.isolation,
    output,
  };
}
