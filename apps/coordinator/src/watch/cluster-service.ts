import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import {
  type ClusterServiceServer,
  checkPeer,
  type DrainAgentRequest,
  type DrainAgentResponse,
  type GetStatusRequest,
  type GetStatusResponse,
  type ListAgentsRequest,
  type ListAgentsResponse,
  type ResumeAgentRequest,
  type ResumeAgentResponse,
  statusOf,
  type WatchEventsRequest,
  type WatchEventsResponse,
} from '@shoal/protocol';
import type { Agents } from '../agents/agents.ts';
import { StreamWriter } from '../jobs/stream-writer.ts';
import type { EventFeed } from './event-feed.ts';

/** What {@link clusterService} shows and commands. */
export interface ClusterParts {
  readonly agents: Agents;
  readonly feed: EventFeed;
  readonly status: () => GetStatusResponse;
}

/** Events that wait for a slow watcher; what happens beyond them is not told to it. */
const maxQueuedEvents = 1000;

/** Tells how the cluster is, and takes agents out of service and back. */
export function clusterService({ agents, feed, status }: ClusterParts): ClusterServiceServer {
  return {
    getStatus: (
      call: ServerUnaryCall<GetStatusRequest, GetStatusResponse>,
      respond: sendUnaryData<GetStatusResponse>,
    ): void => {
      answer(respond, () => {
        checkPeer(call.request.client, 'client', 'coordinator', () => agents.versions());
        return status();
      });
    },
    listAgents: (
      call: ServerUnaryCall<ListAgentsRequest, ListAgentsResponse>,
      respond: sendUnaryData<ListAgentsResponse>,
    ): void => {
      answer(respond, () => agents.page(call.request));
    },
    drainAgent: (
      call: ServerUnaryCall<DrainAgentRequest, DrainAgentResponse>,
      respond: sendUnaryData<DrainAgentResponse>,
    ): void => {
      answer(respond, () => ({ agent: agents.drain(call.request.agentName) }));
    },
    resumeAgent: (
      call: ServerUnaryCall<ResumeAgentRequest, ResumeAgentResponse>,
      respond: sendUnaryData<ResumeAgentResponse>,
    ): void => {
      answer(respond, () => ({ agent: agents.resume(call.request.agentName) }));
    },
    watchEvents: (call: ServerWritableStream<WatchEventsRequest, WatchEventsResponse>): void => {
      const writer = new StreamWriter<WatchEventsResponse>(call);
      const unwatch = feed.watch(({ facts, ...event }) => {
        if (writer.queued >= maxQueuedEvents) return;
        const texts = Object.entries(facts).map(([name, fact]) => [name, String(fact)] as const);
        writer.write({ ...event, facts: Object.fromEntries(texts) });
      });
      call.on('cancelled', unwatch);
      call.on('close', unwatch);
      call.on('error', unwatch);
    },
  };
}

/** Answers a unary call with a value, or with the error that making it threw. */
export function answer<T>(respond: sendUnaryData<T>, make: () => T): void {
  let value: T;
  try {
    value = make();
  } catch (error) {
    respond(statusOf(error));
    return;
  }
  respond(null, value);
}
