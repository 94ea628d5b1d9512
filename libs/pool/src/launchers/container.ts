/**
 * Starts each child in a container of its own: no network, no capabilities, no new privileges, a user without rights, a
 * file system that cannot be written but for a small folder in memory, and of the machine nothing but the code that
 * it runs.
 *
 * It dials back over a Unix socket. Its stdin is its lifeline: whoever holds the other end is gone when it ends, and a
 * process of ours in the container kills the child then, whatever it does.
 */
import { spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { crypto } from '../crypto.ts';
import type { Isolation } from './isolation.ts';
import { LateChannel } from './late-channel.ts';
import type { LaunchedChild, LaunchRequest, OnExit } from './launcher.ts';
import { notStarted } from './not-started.ts';
import { reaper } from './reaper.ts';

type Contained = Extract<Isolation, { readonly level: 'container' }>;

const nobody = '65534:65534';
const tmpfs = 'rw,nosuid,nodev,mode=1777,size=256m';
/** A container that its lifeline does not end in time is ended by Docker. */
const lifelineMs = 5_000;

/** What the container runs: first the child's environment and secret come, then nothing until the end. */
const program = [
  'exec 9<&0',
  'IFS= read -r SHOAL_START <&9 && export SHOAL_START',
  'node "$@" </dev/null 9<&- & child=$!',
  '(unset SHOAL_START; cat <&9 >/dev/null; kill -9 $child) >/dev/null 2>&1 &',
  'exec 9<&-',
  'wait $child',
].join('\n');

export function launchContainer(request: LaunchRequest, asked: Contained, onExit: OnExit): LaunchedChild {
  const { env, execArgv, readsStdout, workDir } = request;
  if (workDir === undefined)
    return notStarted(new Error('A container needs a folder to dial back to.'), onExit);
  const secret = crypto().randomBytes(32).toString('hex');
  const name = `shoal-${crypto().randomBytes(9).toString('hex')}`;
  const channel = new LateChannel();
  const server = dialledBack(workDir, secret, channel);
  const args = [
    'run',
    '--name',
    name,
    ...limitsOf(asked, workDir),
    asked.image,
    '-c',
    program,
    'sh',
    ...execArgv,
  ];
  const docker = spawn('docker', [...args, '/opt/shoal/container-main.js'], {
    detached: true,
    stdio: ['pipe', readsStdout ? 'pipe' : 'ignore', 'pipe'],
  });
  const { pid, stdin } = docker;
  stdin?.on('error', () => {});
  stdin?.write(`${JSON.stringify({ secret, env })}\n`);
  if (pid !== undefined) reaper.watch(pid);
  let hasExited = false;
  const exited = (exitCode: number | undefined, error?: Error): void => {
    if (hasExited) return;
    hasExited = true;
    if (pid !== undefined) reaper.unwatch(pid);
    server.close();
    channel.end();
    onExit({ pid: undefined, ...endingOf(exitCode) }, error);
  };
  docker.once('error', (error) => exited(undefined, error));
  docker.once('exit', (code) => exited(code ?? undefined));
  return {
    // Numbers in the container are its own, and mean nothing here.
    pid: undefined,
    channel,
    stdout: docker.stdout ?? undefined,
    stderr: docker.stderr ?? undefined,
    kill(): void {
      if (hasExited) return;
      stdin?.destroy();
      setTimeout(() => {
        if (!hasExited)
          spawn('docker', ['kill', name], { stdio: 'ignore' })
            .on('error', () => {})
            .unref();
      }, lifelineMs).unref();
    },
    keepAlive(isKept): void {
      for (const handle of [docker, server, channel, ...docker.stdio] as (Partial<
        Record<'ref' | 'unref', () => void>
      > | null)[]) {
        if (isKept) handle?.ref?.();
        else handle?.unref?.();
      }
    },
  };
}

function limitsOf({ cpus, memoryBytes, readable }: Contained, workDir: string): string[] {
  const mount = (from: string, to: string): string[] => [
    '--mount',
    `type=bind,src=${from},dst=${to},readonly`,
  ];
  return [
    ...['--rm', '--interactive', '--network', 'none', '--read-only', '--user', nobody, '--pids-limit', '512'],
    ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges:true', '--log-driver', 'none'],
    ...['--no-healthcheck', '--tmpfs', `/tmp:${tmpfs}`, '--workdir', '/tmp'],
    ...['--memory', `${memoryBytes}`, '--memory-swap', `${memoryBytes}`, '--cpus', `${cpus}`],
    ...mount(workDir, '/shoal'),
    ...readable.flatMap((folder) => mount(folder, folder)),
    ...['--entrypoint', 'sh'],
  ];
}

/** Where the child finds us; whoever does not know the secret is nobody. */
function dialledBack(workDir: string, secret: string, channel: LateChannel): Server {
  const path = join(workDir, 'channel');
  const server = createServer((socket: Socket) => {
    socket.on('error', () => {});
    socket.once('readable', () => {
      const first: Buffer | null = socket.read(secret.length);
      if (first?.toString('latin1') !== secret) {
        socket.destroy();
        return;
      }
      server.close();
      channel.attach(socket);
    });
  });
  server.on('error', (error) => channel.destroy(error));
  server.listen(path, () => {
    chmodSync(workDir, 0o711);
    chmodSync(path, 0o666);
  });
  return server;
}

/** A shell tells a signal as 128 and its number. */
function endingOf(code: number | undefined): {
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
} {
  const found = Object.entries(constants.signals).find(([, number]) => number + 128 === code);
  const signal = found?.[0] as NodeJS.Signals | undefined;
  return signal === undefined ? { exitCode: code, signal } : { exitCode: undefined, signal };
}
