import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';

// Whoever runs this from its sources has the other packages as sources too.
const conditions = extname(import.meta.url) === '.ts' ? ['@shoal/source'] : [];

/**
 * What `shoal` is inside a bundle: what task functions use of it. A task on an agent has no pool of its own; the
 * starters stand there only so that a module that mentions them loads, and say so when they are called.
 */
const source = `
import { ShoalError } from '@shoal/errors';
export { current, task } from '@shoal/pool/task';
export {
  InitializerError, ItemError, JobCancelledError, PoolClosedError, PoolTerminatedError, RemoteError, ShoalError,
  TimeoutError,
} from '@shoal/errors';
const refuse = (what) => {
  const child = globalThis[Symbol.for('shoal.child')];
  if (child?.loading) throw new ShoalError('POOL_IN_TASK_MODULE', { module: child.module ?? 'unknown' });
  throw new ShoalError('POOL_IN_CLUSTER_TASK', { what });
};
export class Pool {
  constructor() {
    refuse('new Pool()');
  }
}
export const connect = async () => refuse('connect()');
`;

let prepared: Promise<string> | undefined;

/** The runtime as one small module, made once in a process. */
function runtime(): Promise<string> {
  prepared ??= prepare();
  prepared.catch(() => {
    prepared = undefined;
  });
  return prepared;
}

async function prepare(): Promise<string> {
  const { build } = await import('esbuild');
  const result = await build({
    stdin: {
      contents: source,
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      sourcefile: 'shoal.js',
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    conditions,
    logLevel: 'silent',
    // Paths of this installation would make the bundle differ from machine to machine.
    minifyWhitespace: true,
    legalComments: 'none',
    plugins: [
      {
        name: 'shoal-own-packages',
        setup(build) {
          // Only what the runtime uses of them comes along.
          build.onResolve({ filter: /^@shoal\/|^\./ }, async ({ path, pluginData, ...args }) => {
            if (pluginData === 'resolving') return undefined;
            const { errors, path: found } = await build.resolve(path, { ...args, pluginData: 'resolving' });
            return { errors, path: found, sideEffects: false };
          });
        },
      },
    ],
  });
  return result.outputFiles[0]?.text ?? '';
}

/** Resolves `shoal` to the part of it that task functions use: a bundle carries no gRPC and no esbuild. */
export function shoalRuntime(): Plugin {
  return {
    name: 'shoal-runtime',
    setup(build) {
      build.onResolve({ filter: /^(?:shoal|@shoal\/(?:pool|client|errors))$/ }, () => ({
        path: 'runtime',
        namespace: 'shoal',
        sideEffects: false,
      }));
      build.onLoad({ filter: /.*/, namespace: 'shoal' }, async () => ({ contents: await runtime() }));
    },
  };
}
