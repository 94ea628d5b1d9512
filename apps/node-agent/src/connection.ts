import type { ChannelCredentials, ServiceError } from '@grpc/grpc-js';
import type { ShoalError } from '@shoal/errors';
import {
  AgentServiceClient,
  BundleServiceClient,
  clientOptions,
  errorFromStatus,
  type GetBundleResponse,
} from '@shoal/protocol';

/** One connection to a coordinator: a channel of its own, and the services on it. */
export class Connection {
  readonly address: string;
  readonly agents: AgentServiceClient;
  readonly #bundles: BundleServiceClient;

  constructor(address: string, credentials: ChannelCredentials) {
    this.address = address;
    this.agents = new AgentServiceClient(address, credentials, clientOptions);
    this.#bundles = new BundleServiceClient(address, credentials, {
      channelOverride: this.agents.getChannel(),
    });
  }

  /** What the coordinator answered, or what became of the connection. */
  errorOf(error: ServiceError): ShoalError {
    return errorFromStatus(error, { address: this.address });
  }

  /** The bytes of a bundle. Rejects with `BUNDLE_NOT_FOUND`, or with what became of the connection. */
  bundle(sha256: string): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const parts: Uint8Array[] = [];
      const call = this.#bundles.getBundle({ sha256 });
      call.on('data', ({ part }: GetBundleResponse) => parts.push(part));
      call.on('error', (error: ServiceError) => reject(this.errorOf(error)));
      call.on('end', () => resolve(Buffer.concat(parts)));
    });
  }

  /** Ends every call. */
  close(): void {
    this.#bundles.close();
    this.agents.close();
  }
}
