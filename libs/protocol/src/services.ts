/**
 * The service definitions and clients that Shoal's own servers and clients use.
 *
 * They are the generated ones, with serializers that copy a payload once for the methods that carry payloads.
 * Reading needs no such thing, but in the Map call: the generated readers hand out views of the message.
 */
import { type MethodDefinition, makeGenericClientConstructor } from '@grpc/grpc-js';
import { serializerOf, type Unassembled } from './frame-writer.ts';
import * as agent from './gen/shoal/v1/agent.ts';
import * as job from './gen/shoal/v1/job.ts';
import { serializeAnswer } from './map-answer.ts';
import { readQuestion } from './map-items.ts';

type Encoder<T> = Parameters<typeof serializerOf<T>>[0];

/** A method whose messages are written with one copy. */
function streamlined<Request, Response, Method extends MethodDefinition<Request, Response>>(
  method: Method & MethodDefinition<Request, Response>,
  request: Encoder<Request>,
  response: Encoder<Response>,
): Method {
  return {
    ...method,
    requestSerialize: forGrpc(serializerOf(request)),
    responseSerialize: forGrpc(serializerOf(response)),
  };
}

/** Messages are never compressed, so grpc-js uses of a Buffer what an {@link Unassembled} has, and nothing else. */
function forGrpc<T>(serialize: (message: T) => Unassembled): (message: T) => Buffer {
  return serialize as (message: T) => unknown as (message: T) => Buffer;
}

/** The agents' service. */
export type AgentServiceService = typeof agent.AgentServiceService;
/** The agents' service. */
export const AgentServiceService: AgentServiceService = {
  ...agent.AgentServiceService,
  data: streamlined(agent.AgentServiceService.data, agent.DataRequest, agent.DataResponse),
};

/** A client of the agents' service. */
export type AgentServiceClient = agent.AgentServiceClient;
/** A client of the agents' service. */
export const AgentServiceClient: typeof agent.AgentServiceClient = makeGenericClientConstructor(
  AgentServiceService,
  'shoal.v1.AgentService',
) as unknown as typeof agent.AgentServiceClient;

/** The jobs' service. */
export type JobServiceService = typeof job.JobServiceService;
/** The jobs' service. */
export const JobServiceService: JobServiceService = {
  ...job.JobServiceService,
  pushItems: streamlined(job.JobServiceService.pushItems, job.PushItemsRequest, job.PushItemsResponse),
  readResults: streamlined(
    job.JobServiceService.readResults,
    job.ReadResultsRequest,
    job.ReadResultsResponse,
  ),
  map: {
    ...streamlined(job.JobServiceService.map, job.MapRequest, job.MapResponse),
    // An item, and an outcome, is a field of its own there: the generated code would make objects of each.
    requestDeserialize: readQuestion,
    responseSerialize: forGrpc(serializeAnswer),
  },
};

/** A client of the jobs' service. */
export type JobServiceClient = job.JobServiceClient;
/** A client of the jobs' service. */
export const JobServiceClient: typeof job.JobServiceClient = makeGenericClientConstructor(
  JobServiceService,
  'shoal.v1.JobService',
) as unknown as typeof job.JobServiceClient;
