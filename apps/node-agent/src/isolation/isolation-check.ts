import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { setprivArguments, setprivPaths } from '@shoal/pool';
import { type AgentIsolation, unavailable } from './child-isolation.ts';

const answersWithinMs = 20_000;

/** Whether an agent can keep children apart as it was told to. Rejects with `ISOLATION_NOT_AVAILABLE`. */
export async function checkIsolation({
  image,
  level,
}: Pick<AgentIsolation, 'image' | 'level'>): Promise<void> {
  if (level === 'user') await checkUsers();
  if (level === 'container') await checkContainers(image);
}

async function checkUsers(): Promise<void> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw unavailable(
      'user',
      'only root can start processes of other users',
      'Start the agent as root, on Linux.',
    );
  }
  const setpriv = setprivPaths.find(existsSync);
  const works = setpriv !== undefined && (await succeeds(setpriv, [...setprivArguments, '/bin/true']));
  if (works) return;
  throw unavailable(
    'user',
    `there is no setpriv that knows ${setprivArguments.join(' ')}`,
    'Install util-linux, 2.33 or later.',
  );
}

async function checkContainers(image: string): Promise<void> {
  if (await succeeds('docker', ['image', 'inspect', image])) return;
  if (!(await succeeds('docker', ['version']))) {
    throw unavailable(
      'container',
      'docker does not answer: it is not installed, does not run, or is not for this user',
      'Look at what this user is told by: docker version.',
    );
  }
  throw unavailable(
    'container',
    `docker has no image ${image}`,
    'Build or pull it, or name the image of this release: --isolation-image IMAGE.',
  );
}

const succeeds = (program: string, args: readonly string[]): Promise<boolean> =>
  promisify(execFile)(program, args, { timeout: answersWithinMs }).then(
    () => true,
    () => false,
  );
