import {
  logVerbosity,
  type Metadata,
  Server,
  type ServerCredentials,
  type ServerInterceptor,
  type ServiceDefinition,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { ShoalError } from '@shoal/errors';
import { callLimits, type FailureListener } from './call-limits.ts';
import { serverOptions } from './channel-options.ts';
import { FrontDoor, type LimitListener, type SilenceListener } from './front-door.ts';
import { HealthService } from './gen/grpc/health/v1/health.ts';
import { ServerReflectionService as ReflectionV1 } from './gen/grpc/reflection/v1/reflection.ts';
import { ServerReflectionService as ReflectionV1Alpha } from './gen/grpc/reflection/v1alpha/reflection.ts';
import { Health } from './health.ts';
import { Reflection } from './reflection.ts';
import { defaultServerLimits, type ServerLimits } from './server-limits.ts';

/** One service and what answers its calls. */
export interface ServedService {
  readonly definition: ServiceDefinition;
  readonly handlers: UntypedServiceImplementation;
}

/** A gRPC server with our limits, the standard health service, and reflection of all that it serves. */
export interface ShoalServer {
  /** The server of grpc-js. */
  readonly server: Server;
  /** The path of every method that it serves, health and reflection included: `/shoal.v1.JobService/Map`. */
  readonly paths: readonly string[];
  /** Its health: `setServing(false)` when it drains. */
  readonly health: Health;
  /** Connections that are open, silent ones included. */
  readonly connections: number;
  /**
   * Looks at all connections: calls that Node has refused by itself are told to `onLimit`, and those whose caller has sent
   * as much as it may before it is read are counted.
   */
  look(): { readonly waitingCalls: number };
  /** Whether the connection that gRPC calls by this name (`ADDRESS:PORT` of the other side) is open. */
  isOpen(connection: string): boolean;
  /**
   * Listens on `HOST:PORT` and resolves with the port; port 0 takes a free one.
   * Throws `ADDRESS_IN_USE` or `REQUEST_INVALID`, naming the address.
   */
  listen(address: string, credentials: ServerCredentials): Promise<number>;
  /** Takes no new calls, and resolves when the open ones have ended; after `graceMs` they are cut off. */
  close(graceMs: number): Promise<void>;
}

/** What {@link createServer} can be told. */
export interface ServerParts {
  /** Every call passes them first. */
  readonly interceptors?: readonly ServerInterceptor[];
  /** Default: those of the table in limits.ts. */
  readonly limits?: Partial<ServerLimits>;
  /**
   * Whether it is known who makes a call that the interceptors have let in; by the metadata that its service is handed. The
   * connections of others, and their calls, end after `authenticationMs`. Default: everybody is known.
   */
  readonly isKnown?: ((metadata: Metadata) => boolean) | undefined;
  /** Hears of each limit that somebody has reached. */
  readonly onLimit?: LimitListener;
  /** Hears of each call that ended with an error. */
  readonly onFailed?: FailureListener;
  /** Hears of each connection that was closed because nothing came from it any more. */
  readonly onSilent?: SilenceListener;
}

/** A server that serves these services, and health and reflection on top. */
export function createServer(services: readonly ServedService[], parts: ServerParts = {}): ShoalServer {
  // What grpc-js would print to stderr comes back as an error, too; whoever wants it sets its variable.
  if (process.env['GRPC_VERBOSITY'] === undefined) setLogVerbosity(logVerbosity.NONE);
  const {
    interceptors = [],
    isKnown = () => true,
    onFailed = () => {},
    onLimit = () => {},
    onSilent,
  } = parts;
  const limits = { ...defaultServerLimits, ...parts.limits };
  const { first, last } = callLimits(limits, {
    onFailed,
    onLimit,
    isKnown,
    onKnown: (peer) => door.letIn(peer),
    onStranger: (peer, end) => door.stranger(peer, end),
  });
  const server = new Server({ ...serverOptions(limits), interceptors: [first, ...interceptors, last] });
  const door: FrontDoor = new FrontDoor(server, limits, onLimit, onSilent);
  for (const { definition, handlers } of services) server.addService(definition, handlers);

  const own = services.map(({ definition }) => serviceName(definition));
  const standardDefinitions: ServiceDefinition[] = [HealthService, ReflectionV1, ReflectionV1Alpha];
  const standard = standardDefinitions.map(serviceName);
  const health = new Health(own);
  const reflection = new Reflection([...own, ...standard]);
  server.addService(HealthService, health.handlers);
  server.addService(ReflectionV1, reflection.handlers);
  server.addService(ReflectionV1Alpha, reflection.handlers);

  const all = [...services.map(({ definition }) => definition), ...standardDefinitions];
  return {
    server,
    paths: all.flatMap((definition) => Object.values(definition).map(({ path }) => path)),
    health,
    get connections() {
      return door.connections;
    },
    look: () => door.look(),
    isOpen: (connection) => door.isOpen(connection),
    listen: (address, credentials) => listen(door, address, credentials),
    close: (graceMs) => close(server, door, health, graceMs),
  };
}

/** The full name of a service: every method's path begins with it. */
function serviceName(definition: ServiceDefinition): string {
  const path = Object.values(definition)[0]?.path ?? '';
  return path.split('/')[1] ?? '';
}

async function listen(door: FrontDoor, address: string, credentials: ServerCredentials): Promise<number> {
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(address) ?? [];
  try {
    return await door.listen(bracketed ?? plain, Number(port), credentials);
  } catch (error) {
    throw listenError(address, error as Error);
  }
}

function listenError(address: string, error: Error): ShoalError {
  if (/EADDRINUSE/.test(error.message)) {
    return new ShoalError('ADDRESS_IN_USE', { address, option: '--listen' });
  }
  const reason = /EADDRNOTAVAIL/.test(error.message)
    ? `${address} is no address of this machine`
    : /EACCES/.test(error.message)
      ? `this user may not listen on ${address}`
      : /ENOTFOUND|EAI_AGAIN/.test(error.message)
        ? `the name in ${address} is unknown`
        : `cannot listen on ${address}: ${error.message}`;
  return new ShoalError('REQUEST_INVALID', { field: '--listen', reason }, { cause: error });
}

function close(server: Server, door: FrontDoor, health: Health, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    health.setServing(false);
    health.close();
    door.close();
    const cut = setTimeout(() => {
      server.forceShutdown();
      door.cut();
      // A connection that broke in the very moment of tryShutdown is waited for by grpc-js for ever.
      setImmediate(resolve);
    }, graceMs);
    server.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
}
