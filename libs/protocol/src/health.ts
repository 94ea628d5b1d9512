import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import {
  type HealthCheckRequest,
  HealthCheckResponse,
  type HealthServer,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from './gen/grpc/health/v1/health.ts';

type Watcher = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

/**
 * The standard health service, which probes and load balancers ask.
 *
 * The empty name stands for the server as a whole. A draining server says NOT_SERVING while it still finishes what runs.
 */
export class Health {
  readonly #states = new Map<string, ServingStatus>();
  readonly #watchers = new Map<Watcher, string>();

  constructor(services: readonly string[]) {
    for (const service of ['', ...services]) this.#states.set(service, ServingStatus.SERVING);
  }

  /** Says for every service whether it takes requests. */
  setServing(serving: boolean): void {
    for (const service of this.#states.keys()) {
      this.#states.set(service, serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
    }
    for (const [call, service] of this.#watchers) this.#tell(call, service);
  }

  /** The service's methods, for `Server.addService`. */
  readonly handlers: HealthServer = {
    check: (
      call: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
      respond: sendUnaryData<HealthCheckResponse>,
    ): void => {
      const state = this.#states.get(call.request.service);
      if (state === undefined) respond({ code: status.NOT_FOUND, details: 'unknown service' });
      else respond(null, HealthCheckResponse.create({ status: state }));
    },
    watch: (call: Watcher): void => {
      this.#watchers.set(call, call.request.service);
      const forget = (): boolean => this.#watchers.delete(call);
      call.on('cancelled', forget);
      call.on('close', forget);
      call.on('error', forget);
      this.#tell(call, call.request.service);
    },
  };

  /** Ends the calls of those who watch: an open call would keep the server from closing. */
  close(): void {
    for (const call of this.#watchers.keys()) call.end();
    this.#watchers.clear();
  }

  #tell(call: Watcher, service: string): void {
    // A watcher that does not read gets at most two of these in its life.
    call.write(
      HealthCheckResponse.create({ status: this.#states.get(service) ?? ServingStatus.SERVICE_UNKNOWN }),
    );
  }
}
