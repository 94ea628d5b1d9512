import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AgentIsolation } from './child-isolation.ts';
import { knownUser, UserClaim } from './user-claim.ts';

const range = (firstUid: number, lastUid: number): AgentIsolation => ({
  level: 'user',
  firstUid,
  lastUid,
  image: '',
  memoryBytes: 2 ** 30,
  cpus: 1,
});

async function take(isolation: AgentIsolation): Promise<UserClaim> {
  const claim = await UserClaim.take(isolation);
  onTestFinished(() => claim.release());
  return claim;
}

test('a user that the system knows is found', () => {
  const passwd = 'root:x:0:0::/:/bin/sh\nada:x:70000:70000::/:/bin/sh\nnobody:x:65534:65534::/:\n';
  expect(knownUser(passwd, 69_000, 70_000)).toBe('the user ada (70000)');
  expect(knownUser(passwd, 70_001, 80_000)).toBeUndefined();
});

describe.skipIf(process.platform !== 'linux')('on Linux', () => {
  test('agents that name no users have none in common, and users are free again when their agent is gone', async () => {
    const asked = { ...range(1_800_000_000, 1_800_000_009), mayMove: true };
    const first = await UserClaim.take(asked);
    const second = await take(asked);
    expect([first.firstUid, first.lastUid]).toEqual([1_800_000_000, 1_800_000_009]);
    expect([second.firstUid, second.lastUid]).toEqual([1_800_000_010, 1_800_000_019]);
    first.release();
    expect((await take(asked)).firstUid).toBe(1_800_000_000);
  });

  test.each([
    [1_800_000_100, 1_800_000_109],
    [1_800_000_109, 1_800_000_110],
    [1_800_000_091, 1_800_000_100],
    [1_800_000_000, 1_800_000_999],
    [1_800_000_103, 1_800_000_104],
  ])('users %s to %s are refused to an agent where another one has some of them', async (first, last) => {
    await take(range(1_800_000_100, 1_800_000_109));
    await expect(take(range(first, last))).rejects.toMatchObject({
      code: 'ISOLATION_NOT_AVAILABLE',
      message: expect.stringContaining(`another agent on this machine has users of ${first} to ${last}`),
    });
  });

  test.skipIf(process.getuid?.() !== 0)(
    'what an agent that was killed has left behind ends before another one has its users',
    async () => {
      const uid = 1_800_000_203;
      const left = spawn('sleep', ['600'], { uid, gid: uid, detached: true, stdio: 'ignore' });
      await once(left, 'spawn');
      const ended = once(left, 'exit');
      await take(range(1_800_000_200, 1_800_000_209));
      expect(await ended).toEqual([null, 'SIGKILL']);
    },
  );

  // A container may be root's and still make no networks.
  test.skipIf(spawnSync('unshare', ['--net', 'true']).status !== 0)(
    'users of an agent with another network are found by the file, and refused like those of a neighbour',
    async () => {
      // Sockets without a file are seen within one network; this one has none in common with the test.
      const program = `
        import { UserClaim } from ${JSON.stringify(new URL('./user-claim.ts', import.meta.url))};
        await UserClaim.take(${JSON.stringify(range(1_800_000_300, 1_800_000_309))});
        process.stdout.write('has them');
        process.stdin.resume();
      `;
      const node = [process.execPath, '--conditions=@shoal/source', '--input-type=module', '-e', program];
      const other = spawn('unshare', ['--net', ...node], { stdio: ['pipe', 'pipe', 'inherit'] });
      const ended = once(other, 'close');
      onTestFinished(async () => {
        other.kill();
        await ended;
      });
      const [said] = await Promise.race([once(other.stdout, 'data'), ended]);
      expect(String(said)).toBe('has them');
      const refusal = { code: 'ISOLATION_NOT_AVAILABLE', message: expect.stringContaining('another agent') };
      await expect(take(range(1_800_000_309, 1_800_000_318))).rejects.toMatchObject(refusal);
      await expect(take({ ...range(1_800_000_300, 1_800_000_309), mayMove: true })).resolves.toMatchObject({
        firstUid: 1_800_000_310,
      });
      other.kill();
      await ended;
      await expect(take(range(1_800_000_300, 1_800_000_309)), 'it is gone').resolves.toBeInstanceOf(
        UserClaim,
      );
    },
  );
});
