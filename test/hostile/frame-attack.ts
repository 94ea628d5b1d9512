import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { status } from '@grpc/grpc-js';
import type { DialMaterial } from '@shoal/protocol';
import type { Random } from '../simulation/random.ts';
import { type Target, targets } from './corpus.ts';
import { http2Frame } from './http2-frame.ts';
import { mutated } from './mutation.ts';

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const framesPerCall = 12;
const framesPerConnection = 40;
/** A call that the server waits in for more is given up. */
const patienceMs = 150;

/** What a peer shows that means harm and was let in all the same. */
export interface AttackerCredentials {
  readonly tls: DialMaterial;
  readonly token: string;
}

/** Sends mutated frames to a coordinator, and listens to nothing that it says. */
export class FrameAttack {
  readonly #address: string;
  readonly #random: Random;
  readonly #credentials: AttackerCredentials | undefined;
  readonly #targets: readonly Target[] = targets();
  #session: ClientHttp2Session | undefined;
  /** Frames that were sent. */
  sent = 0;
  /** Calls that ended with a status of the service, and those of them that it took for somebody unknown. */
  readonly answers: { all: number; toStrangers: number } = { all: 0, toStrangers: 0 };

  /** Over TLS where there are credentials. */
  constructor(address: string, random: Random, credentials?: AttackerCredentials) {
    this.#address = address;
    this.#random = random;
    this.#credentials = credentials;
  }

  /** Goes on until so many frames are sent. */
  async run(frames: number): Promise<void> {
    const lane = async (attack: () => Promise<void>): Promise<void> => {
      while (this.sent < frames) await attack();
    };
    const calls = Array.from({ length: 24 }, () => lane(() => this.#call()));
    const connections = Array.from({ length: 4 }, () => lane(() => this.#connection()));
    await Promise.all([...calls, ...connections]);
    this.#session?.destroy();
  }

  /** One call whose messages are mutated: their bytes, and now and then the length before them. */
  async #call(): Promise<void> {
    const random = this.#random;
    const target = this.#targets[random.int(0, this.#targets.length - 1)];
    if (target === undefined) return;
    const frames = Array.from({ length: framesPerCall }, () => {
      const request = target.requests[random.int(0, target.requests.length - 1)] ?? Buffer.alloc(0);
      return framed(mutated(request, random), random);
    });
    this.sent += framesPerCall;
    const session = this.#openSession();
    try {
      const call = session.request({
        ':method': 'POST',
        ':path': target.path,
        'content-type': 'application/grpc',
        te: 'trailers',
        ...(this.#credentials === undefined ? {} : { authorization: `Bearer ${this.#credentials.token}` }),
      });
      call.on('error', () => {});
      call.on('response', (headers) => this.#answered(headers));
      call.on('trailers', (headers) => this.#answered(headers));
      call.resume();
      call.end(Buffer.concat(frames));
      const timer = setTimeout(() => call.close(), patienceMs);
      await new Promise((resolve) => call.once('close', resolve));
      clearTimeout(timer);
    } catch {
      // The session was closed in the meantime; the next call opens another one.
      this.#session = undefined;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #answered({ 'grpc-status': code }: IncomingHttpHeaders): void {
    if (code === undefined) return;
    this.answers.all += 1;
    if (Number(code) === status.UNAUTHENTICATED) this.answers.toStrangers += 1;
  }

  #openSession(): ClientHttp2Session {
    if (this.#session !== undefined && !this.#session.closed && !this.#session.destroyed)
      return this.#session;
    const tls = this.#credentials?.tls;
    const session =
      tls === undefined
        ? connectHttp2(`http://${this.#address}`)
        : connectHttp2(`https://${this.#address}`, tls);
    session.on('error', () => {});
    this.#session = session;
    return session;
  }

  /** One connection whose frames of HTTP/2 are mutated. */
  async #connection(): Promise<void> {
    const random = this.#random;
    const [host = '', port] = this.#address.split(':');
    const tls = this.#credentials?.tls;
    const socket =
      tls === undefined
        ? connect(Number(port), host)
        : connectTls({ host, port: Number(port), ALPNProtocols: ['h2'], ...tls });
    socket.on('error', () => {});
    socket.resume();
    const frames = Array.from({ length: framesPerConnection }, (_, at) => {
      const frame = anyFrame(random, at);
      return at < 2 || random.next() < 0.5 ? frame : mutated(frame, random);
    });
    this.sent += framesPerConnection;
    socket.write(Buffer.concat([preface, ...frames]));
    socket.end();
    await closed(socket);
  }
}

/** The five bytes of gRPC before a message; one in ten lies. */
function framed(message: Buffer, random: Random): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  if (random.next() < 0.1) head[random.int(0, 4)] = random.int(0, 255);
  return Buffer.concat([head, message]);
}

/** A frame of HTTP/2: settings first, then whatever there is. */
function anyFrame(random: Random, at: number): Buffer {
  const type = at === 0 ? 4 : random.int(0, 9);
  const payload =
    type === 4
      ? Buffer.alloc(0)
      : Buffer.from(Array.from({ length: random.int(0, 40) }, () => random.int(0, 255)));
  const flags = at === 0 ? 0 : random.int(0, 255);
  return http2Frame(type, flags, type === 4 ? 0 : random.int(0, 9), payload);
}

async function closed(socket: Socket): Promise<void> {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), patienceMs);
  await once(socket, 'close').catch(() => {});
  clearTimeout(timer);
}
