import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The version of Redis that is installed, or that none is. */
export function redisVersion(): { readonly version: string } | { readonly missing: string } {
  const { status, stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  if (status !== 0) return { missing: 'redis-server is not installed (apt-get install redis-server)' };
  return { version: /v=(\S+)/.exec(stdout)?.[1] ?? 'unknown' };
}

/** A Redis of our own: on a socket in a folder of its own, in memory only. */
export class RedisServer {
  readonly socket: string;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(folder: string, socket: string, child: ChildProcess) {
    this.#folder = folder;
    this.socket = socket;
    this.#process = child;
  }

  /** Starts it; resolves when it takes connections. */
  static async start(): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-bench-redis-'));
    const socket = join(folder, 'redis.sock');
    const settings = [
      '--port',
      '0',
      '--unixsocket',
      socket,
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder,
    ];
    const child = spawn('redis-server', settings, { stdio: ['ignore', 'pipe', 'inherit'] });
    const server = new RedisServer(folder, socket, child);
    let said = '';
    for await (const text of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      said += text;
      if (said.includes('ready to accept connections')) break;
    }
    if (child.exitCode !== null) throw new Error(`redis-server has ended: ${said}`);
    child.stdout.resume();
    return server;
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    if (this.#process.exitCode === null && this.#process.signalCode === null)
      await once(this.#process, 'exit');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
