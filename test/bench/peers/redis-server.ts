import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The version of Redis that is installed, or that none is. */
export function redisVersion(): { readonly version: string } | { readonly missing: string } {
  const { status, stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  if (status !== 0) return { missing: 'redis-server is not installed (apt-get install redis-server)' };
  return { version: /v=(\S+)/.exec(stdout)?.[1] ?? 'unknown' };
}

/** Between being found free and being taken, a port may go to somebody else: then another one is tried. */
const portsTriedMax = 10;

/** A Redis of our own: on TCP, as everybody else in the table is reached, and in memory only. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = child;
  }

  /** Starts it; resolves when it takes connections. */
  static async start(): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-bench-redis-'));
    let said = '';
    for (let tried = 0; tried < portsTriedMax; tried += 1) {
      const port = await freePort();
      const address = ['--bind', '127.0.0.1', '--port', String(port)];
      const inMemory = ['--save', '', '--appendonly', 'no', '--dir', folder];
      const child = spawn('redis-server', [...address, ...inMemory], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      said = '';
      for await (const text of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
        said += text;
        if (!said.includes('Ready to accept connections')) continue;
        child.stdout.resume();
        return new RedisServer(port, folder, child);
      }
    }
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`redis-server has ended: ${said}`);
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    if (this.#process.exitCode === null && this.#process.signalCode === null)
      await once(this.#process, 'exit');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A port of this machine that nobody listens on just now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port of this machine is free');
  return address.port;
}
