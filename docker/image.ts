import { execFile, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundle, imageFolder } from '../tools/bundle.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const officialNodeImage = 'node:24-bookworm-slim';
// Named by its Node, so that it is made once and again when Node changes.
const ownNodeImage = `shoal-base:${process.versions.node}`;
// A registry that answers at all begins to within seconds; a slow download beyond this is better done by hand.
const pullTimeoutMs = 60_000;
/** Images that this process has begun to build. */
let builds = 0;

/**
 * Builds the Shoal image from this working tree and returns its tag.
 *
 * The base image is `SHOAL_NODE_IMAGE`, else node:24-bookworm-slim where it is present or can be pulled,
 * else one made from this machine's Node (docker/base-image.sh).
 */
export async function buildImage(tag = 'shoal:local'): Promise<string> {
  await requireDocker();
  const nodeImage = await findNodeImage();
  // Of its own: somebody else may build an image from this working tree at the same time.
  builds += 1;
  const folder = `${imageFolder}-${process.pid}-${builds}`;
  try {
    await bundle(folder);
    await run('docker', [
      'build',
      '--quiet',
      '-f',
      'docker/Dockerfile',
      '--build-arg',
      `NODE_IMAGE=${nodeImage}`,
      '--build-arg',
      `BUNDLES=${folder}`,
      '-t',
      tag,
      '.',
    ]);
  } finally {
    await rm(`${root}${folder}`, { recursive: true, force: true });
  }
  return tag;
}

/** Whether a Docker daemon answers; `false` is no error, for much of Shoal works without one. */
export async function dockerAnswers(): Promise<boolean> {
  return succeeds('docker', ['info'], 20_000);
}

/** Runs a program in the repository's root; rejects with what it printed when it fails. */
export async function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => printed.push(part));
  child.stderr.on('data', (part: Buffer) => printed.push(part));
  const ending = await new Promise<string | undefined>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
  });
  if (ending !== undefined) {
    throw new Error(
      `${program} ${args.join(' ')} ended with ${ending}:\n${Buffer.concat(printed).toString()}`,
    );
  }
}

async function requireDocker(): Promise<void> {
  if (await dockerAnswers()) return;
  throw new Error('No Docker daemon answers. Start one (dockerd, or Docker Desktop), then try again.');
}

async function findNodeImage(): Promise<string> {
  const chosen = process.env['SHOAL_NODE_IMAGE'];
  if (chosen !== undefined && chosen !== '') return chosen;
  if (await succeeds('docker', ['image', 'inspect', officialNodeImage], 20_000)) return officialNodeImage;
  if (await succeeds('docker', ['pull', '--quiet', officialNodeImage], pullTimeoutMs))
    return officialNodeImage;
  if (await succeeds('docker', ['image', 'inspect', ownNodeImage], 20_000)) return ownNodeImage;
  await run('docker/base-image.sh', [ownNodeImage, process.execPath]);
  return ownNodeImage;
}

async function succeeds(program: string, args: readonly string[], timeoutMs: number): Promise<boolean> {
  return promisify(execFile)(program, args, { timeout: timeoutMs }).then(
    () => true,
    () => false,
  );
}
