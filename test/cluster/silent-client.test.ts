/**
 * A client that says nothing any more, as keepalive finds it, and one that is gone: how long their jobs are kept, and
 * that nothing of their connections is left. Over TLS and without it: the sockets of both tell different things.
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { DialCredentials, errorFromStatus } from '@shoal/protocol';
import { afterEach, expect, test } from 'vitest';
import { FaultProxy } from '../chaos/fault-proxy.ts';
import { RawClient } from './raw-client.ts';
import { source, TestCluster, until } from './test-cluster.ts';
import { TlsFiles } from './tls-files.testkit.ts';

const clusters: TestCluster[] = [];
const clients: RawClient[] = [];
const proxies: FaultProxy[] = [];
const sockets: Socket[] = [];
let files: TlsFiles | undefined;
afterEach(async () => {
  for (const client of clients) client.close();
  for (const socket of sockets) socket.destroy();
  for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
  for (const cluster of clusters) await cluster.stop();
  await files?.remove();
});

interface Held {
  readonly jobId: string;
  readonly client: RawClient;
  readonly proxy: FaultProxy;
}

/** A cluster with a client whose connection is its own, and others behind networks of their own. */
class Scene {
  readonly cluster: TestCluster = new TestCluster();
  readonly #channel: () => DialCredentials;
  #client: RawClient | undefined;
  #sha256 = '';

  constructor(channel: () => DialCredentials) {
    this.#channel = channel;
    clusters.push(this.cluster);
  }

  async start(tlsDir: string | undefined): Promise<void> {
    await this.cluster.listen({
      ...(tlsDir === undefined ? {} : { tlsDir }),
      keepaliveMs: 1_000,
      keepaliveTimeoutMs: 2_000,
      firstByteMs: 2_000,
      ephemeralGraceMs: 3_000,
      silentGraceMs: 4_000,
    });
    const agentDir = tlsDir === undefined ? undefined : await files?.agentFolder('agent');
    const tls = agentDir === undefined ? {} : { name: 'agent', tlsDir: agentDir };
    await this.cluster.agent({ processes: 1, ...tls });
    this.#client = this.#connect(this.cluster.coordinator.address);
    this.#sha256 = await this.#client.putBundle(source);
    // The connection that questions go over, too, is there from now on.
    await this.#client.info(await this.#client.createJob(this.#sha256, 'slow'));
  }

  /** What the coordinator and the kernel say. */
  get open(): { readonly connections: number; readonly descriptors: number } {
    return {
      connections: this.cluster.coordinator.status().connections,
      descriptors: this.#descriptors,
    };
  }

  #connect(address: string): RawClient {
    const client = new RawClient(address, this.#channel());
    clients.push(client);
    return client;
  }

  /** A job whose input has no end yet, or takes a while; its client reads it, over a network of its own. */
  async held(items = 0): Promise<Held> {
    const proxy = await FaultProxy.to(this.cluster.coordinator.address);
    proxies.push(proxy);
    const client = this.#connect(proxy.address);
    const jobId = await client.createJob(this.#sha256, 'slow');
    await new Promise<void>((resolve) => {
      const call = client.jobs.readResults({ jobId, fromPosition: 0, clientSession: '' });
      call.on('data', () => resolve());
      call.on('error', () => {});
    });
    const pushed = Array.from({ length: items }, (_, at) => [at, 50]);
    if (items > 0) client.push(jobId, pushed, 1).catch(() => {});
    return { jobId, client, proxy };
  }

  /** A connection that never says a word. */
  mute(): void {
    const [host, port] = this.cluster.coordinator.address.split(':');
    const socket = connect(Number(port), host);
    socket.on('error', () => {});
    sockets.push(socket);
  }

  /** Why nobody knows the job any more. The question holds nothing. */
  reasonOfEnd({ jobId }: Held): Promise<unknown> {
    return until(
      'the job is given up',
      () =>
        new Promise<unknown>((resolve) => {
          const request = { jobId, position: 0, clientSession: '' };
          this.#client?.jobs.acknowledgeResults(request, (error) => {
            if (error === null) resolve(false);
            else resolve(errorFromStatus(error, { address: 'the coordinator' }).facts['reason']);
          });
        }),
      (reason) => reason !== false,
      30_000,
    );
  }

  /** Sockets of this machine that the coordinator holds: a connection that it forgot and kept is among them. */
  get #descriptors(): number {
    const port = Number(this.cluster.coordinator.address.split(':')[1]);
    const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    return readFileSync('/proc/self/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, address = '', , state, , , , , , inode]) => {
        return address.endsWith(local) && state !== listening && inode !== '0';
      }).length;
  }
}

/** As the kernel writes it. */
const listening = '0A';

test.each(['in plain text', 'over TLS'])(
  '%s a client that keepalive finds silent has the long time of grace, at work or not; one that is gone has the short one; and no connection of theirs is left',
  async (how) => {
    files = how === 'over TLS' ? await TlsFiles.make() : undefined;
    const tls = await files?.identity({ name: 'laptop', role: 'client' });
    const scene = new Scene(() => new DialCredentials({ tls: tls && (() => tls) }));
    await scene.start(files?.folder.path);
    // Each connection has its socket, and what the agent asked before it joined has none any more.
    await expect.poll(() => scene.open.descriptors - scene.open.connections).toBe(0);
    const atFirst = scene.open;
    const [silent, deaf, busy, killed, left] = await Promise.all([
      scene.held(),
      scene.held(),
      scene.held(300),
      scene.held(),
      scene.held(),
    ]);
    scene.mute();
    await until(
      'all are there',
      () => scene.open.descriptors,
      (seen) => seen >= atFirst.descriptors + 6,
    );
    // From now on nobody takes in what these are sent, and they send nothing: not even the end of their connections.
    silent.proxy.halfOpen('server');
    busy.proxy.halfOpen('server');
    // Its process is stopped: the connection is there, and nothing passes it.
    deaf.proxy.setBoth({ stalled: true });
    killed.proxy.reset();
    left.client.close();
    const long = 'no client was connected to it for 4 s';
    const short = 'no client was connected to it for 3 s';
    const reasons = await Promise.all(
      [silent, deaf, busy, killed, left].map((held) => scene.reasonOfEnd(held)),
    );
    expect(reasons).toEqual([long, long, long, short, short]);
    await expect.poll(() => scene.open).toEqual(atFirst);
  },
);
