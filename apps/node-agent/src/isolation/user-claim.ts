import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { ShoalError } from '@shoal/errors';
import { sweepUser } from '@shoal/pool';
import { type AgentIsolation, unavailable } from './child-isolation.ts';
import { ClaimFile, claimsDir } from './claim-file.ts';

/** How many agents of one machine find users for themselves. */
const blocksMax = 100;
/** A process that has just been killed is listed until its parent has looked. */
const sweepsMax = 50;

/**
 * Users that this agent has and no other one of this machine: whoever ends all processes of a user would end those of the
 * other agent.
 *
 * The claim is a socket without a file, which goes with the process, however that ends, and which containers of one pod
 * see of each other; and a file, which those see that have another network. Two ranges that overlap find each other.
 */
export class UserClaim {
  readonly firstUid: number;
  readonly lastUid: number;
  readonly #server: Server;
  readonly #file: ClaimFile | undefined;

  private constructor(firstUid: number, lastUid: number, server: Server, file: ClaimFile | undefined) {
    this.firstUid = firstUid;
    this.lastUid = lastUid;
    this.#server = server;
    this.#file = file;
  }

  /**
   * Takes the users of an agent, or, where nobody named them, as many after them that are free; and ends what an agent
   * that was killed has left running as one of them. Rejects with `REQUEST_INVALID` for users that the system knows, and
   * with `ISOLATION_NOT_AVAILABLE` for those of another agent.
   */
  static async take(
    { firstUid, lastUid, mayMove = false }: AgentIsolation,
    claimDir: string = claimsDir,
  ): Promise<UserClaim> {
    const count = lastUid - firstUid + 1;
    for (let block = 0; block < (mayMove ? blocksMax : 1); block += 1) {
      const first = firstUid + block * count;
      const last = first + count - 1;
      const server = await claimed(first, last);
      if (server === undefined) continue;
      const file = ClaimFile.take(claimDir, first, last);
      if (file === 'taken') {
        server.close();
        continue;
      }
      const claim = new UserClaim(first, last, server, file);
      try {
        await claim.#check();
      } catch (error) {
        claim.release();
        throw error;
      }
      return claim;
    }
    throw unavailable(
      'user',
      `another agent on this machine has users of ${firstUid} to ${lastUid}`,
      'Name others for each agent: --isolation-uids FROM-TO.',
    );
  }

  release(): void {
    this.#server.close();
    this.#file?.release();
  }

  async #check(): Promise<void> {
    const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
    const named = knownUser(passwd, this.firstUid, this.lastUid);
    if (named !== undefined) {
      const reason = `(--isolation-uids) has ${named}, whom /etc/passwd names; take users that nobody is`;
      throw new ShoalError('REQUEST_INVALID', { field: 'isolationUids', reason });
    }
    for (let sweep = 0; sweep < sweepsMax; sweep += 1) {
      const uids = await running(this.firstUid, this.lastUid);
      if (uids.size === 0) return;
      // Whether that could be done is seen by what still runs. Nobody waits for this agent yet.
      for (const uid of uids) sweepUser(uid);
    }
    const uids = [...(await running(this.firstUid, this.lastUid))].join(', ');
    throw unavailable('user', `processes of ${uids} do not end`, 'End them, or name other users.');
  }
}

/** The socket that stands for these users; undefined where another one has some of them. */
async function claimed(first: number, last: number): Promise<Server | undefined> {
  const own = `shoal-uids-${first}-${last}`;
  const server = createServer((socket) => socket.destroy()).unref();
  const listening = Promise.withResolvers<boolean>();
  server.once('error', () => listening.resolve(false));
  server.listen(`\0${own}`, () => listening.resolve(true));
  if (!(await listening.promise)) return undefined;
  const others = (await readFile('/proc/net/unix', 'utf8')).matchAll(/@(shoal-uids-(\d+)-(\d+))/g);
  for (const [, name, from, to] of others) {
    if (name === own || Number(to) < first || Number(from) > last) continue;
    server.close();
    return undefined;
  }
  return server;
}

/** The first of these users that the system has a name for. */
export function knownUser(passwd: string, first: number, last: number): string | undefined {
  for (const line of passwd.split('\n')) {
    const [name, , uid] = line.split(':');
    if (uid !== undefined && uid !== '' && Number(uid) >= first && Number(uid) <= last) {
      return `the user ${name} (${uid})`;
    }
  }
  return undefined;
}

/** Those of these users that something runs as. */
async function running(first: number, last: number): Promise<Set<number>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = new Set<number>();
  for (const pid of pids) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    // What has ended and waits for its parent harms nobody.
    if (/^State:\s+[ZX]/m.test(status)) continue;
    const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? -1);
    if (uid >= first && uid <= last) found.add(uid);
  }
  return found;
}
