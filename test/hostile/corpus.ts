import type { ServiceDefinition } from '@grpc/grpc-js';
import {
  AccessServiceService,
  AgentServiceService,
  BundleServiceService,
  ClusterServiceService,
  CreateJobRequest,
  HealthService,
  Heartbeat,
  JobServiceService,
  Join,
  ownPeer,
} from '@shoal/protocol';
import fc from 'fast-check';
import { dataRequests, mapRequests, pushItemsRequests } from '../../libs/protocol/src/messages.testkit.ts';

/** A method and what good requests of it look like, as bytes. */
export interface Target {
  readonly path: string;
  readonly requests: readonly Buffer[];
}

const services: readonly ServiceDefinition[] = [
  JobServiceService,
  BundleServiceService,
  AgentServiceService,
  ClusterServiceService,
  AccessServiceService,
  HealthService,
];

/** `job-1` in the first field: many requests are no more than that. */
const named = Buffer.from('0a056a6f622d31', 'hex');

/** Requests that say something, where one with nothing in it would be over at once. */
const telling: Readonly<Record<string, readonly unknown[]>> = {
  PushItems: fc.sample(pushItemsRequests, { seed: 1, numRuns: 40 }),
  Map: fc.sample(mapRequests, { seed: 2, numRuns: 40 }),
  Data: fc.sample(dataRequests, { seed: 3, numRuns: 40 }),
  Control: [
    {
      message: {
        $case: 'join',
        value: Join.fromPartial({ agentName: 'a', instance: 'i', slots: 2, agent: ownPeer }),
      },
    },
    {
      message: { $case: 'heartbeat', value: Heartbeat.fromPartial({ sequence: 1, held: [1] }) },
    },
  ],
  CreateJob: [
    CreateJobRequest.fromPartial({
      requestId: 'r',
      task: { name: 'f', function: { $case: 'inlineSource', value: 'x => x' } },
      options: { labels: { a: 'b' }, chunkSize: 3, retries: { thrown: 1 } },
      setup: { env: { A: 'B' } },
    } as unknown as CreateJobRequest),
  ],
  PutBundle: [
    { message: { $case: 'header', value: { sha256: 'a'.repeat(64), size: 100 } } },
    { message: { $case: 'part', value: new Uint8Array(100) } },
  ],
  NameBundle: [{ name: 'n', version: 1, sha256: 'a'.repeat(64) }],
  GetBundle: [{ sha256: 'a'.repeat(64) }],
  JoinCluster: [{ secret: 's', name: 'n', certificateRequest: 'none' }],
  CreateJoinToken: [{ role: 'agent', name: 'n', ttlMs: 60_000 }],
  ListJoinTokens: [{}],
  RevokeJoinToken: [{ id: 'ab12cd34' }],
};

/** In a bigger request a mutation hardly ever meets anything but its payload, which the coordinator does not look into. */
const tellingBytesMax = 16_384;

/** Every method that a coordinator serves. */
export function targets(): readonly Target[] {
  return services.flatMap((service) =>
    Object.entries(service).map(([name, { path, requestSerialize }]) => {
      const method = path.slice(path.lastIndexOf('/') + 1);
      const requests = telling[method]?.map((message) => serialized(requestSerialize, message, name));
      return { path, requests: requests === undefined ? [named] : mostlySmall(requests) };
    }),
  );
}

/** Those that are small, and one that is as big as any. */
function mostlySmall(requests: readonly Buffer[]): readonly Buffer[] {
  const bySize = requests.toSorted((one, other) => one.length - other.length);
  const small = bySize.filter(({ length }) => length <= tellingBytesMax);
  return [...small, ...bySize.slice(small.length).slice(-1)];
}

function serialized(serialize: (message: never) => Buffer, message: unknown, method: string): Buffer {
  try {
    return serialize(message as never);
  } catch (error) {
    throw new Error(`there is no such request of ${method}`, { cause: error });
  }
}
