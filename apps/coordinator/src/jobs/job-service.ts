import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js';
import { ShoalError } from '@shoal/errors';
import {
  type AcknowledgeResultsRequest,
  type AcknowledgeResultsResponse,
  type CancelJobRequest,
  type CancelJobResponse,
  type CreateJobRequest,
  type CreateJobResponse,
  checkPeer,
  type GetJobRequest,
  type GetJobResponse,
  type HoldGroupRequest,
  type HoldGroupResponse,
  type JobServiceServer,
  type ListJobsRequest,
  type ListJobsResponse,
  limits,
  type MapQuestion,
  type MapRequest,
  type MapResponse,
  ownPeer,
  type PushItemsRequest,
  type PushItemsResponse,
  type ReadResultsRequest,
  type ReadResultsResponse,
  statusOf,
  type WatchJobRequest,
  type WatchJobResponse,
} from '@shoal/protocol';
import type { JobId } from '@shoal/scheduler';
import type { Agents } from '../agents/agents.ts';
import type { Driver } from '../driver.ts';
import { answer } from '../watch/cluster-service.ts';
import type { Question } from './client-calls.ts';
import type { Groups } from './groups.ts';
import { ItemIntake } from './item-intake.ts';
import { JobWatch } from './job-watch.ts';
import type { Jobs } from './jobs.ts';
import { MapCall } from './map-call.ts';
import { ResultStream } from './result-stream.ts';

/** What {@link jobService} works with. */
export interface JobServiceParts {
  readonly driver: Driver;
  readonly jobs: Jobs;
  readonly agents: Agents;
  readonly groups: Groups;
  /** Whether a connection, as gRPC names it, is open. */
  readonly isOpen: (connection: string) => boolean;
  readonly heartbeatMs: number;
  /** One item, encoded. */
  readonly maxItemBytes: number;
  /** What is sent to a client in one message. */
  readonly partBytes: number;
}

/** The calls of clients: each is checked here and done by {@link Jobs} or by a stream of its own. */
export function jobService({
  driver,
  jobs,
  agents,
  groups,
  isOpen,
  heartbeatMs,
  maxItemBytes,
  partBytes,
}: JobServiceParts): JobServiceServer {
  return {
    createJob: (
      call: ServerUnaryCall<CreateJobRequest, CreateJobResponse>,
      respond: sendUnaryData<CreateJobResponse>,
    ): void => {
      try {
        checkPeer(call.request.client, 'client', 'coordinator', () => agents.versions());
        const maxMessageBytes = limits.messageBytes.default;
        jobs.create(
          call.request,
          answering(respond, (jobId) => ({
            jobId,
            coordinator: ownPeer,
            maxItemBytes,
            maxMessageBytes,
            grantedItems: jobs.get(jobId).view.granted,
          })),
        );
      } catch (error) {
        respond(statusOf(error));
      }
    },

    pushItems: (
      call: ServerReadableStream<PushItemsRequest, PushItemsResponse>,
      respond: sendUnaryData<PushItemsResponse>,
    ): void => {
      const intake = new ItemIntake(
        driver,
        {
          pause: () => call.pause(),
          resume: () => call.resume(),
          done: (acceptedItems) => respond(null, { acceptedItems }),
          fail: (error) => respond(statusOf(error)),
        },
        // An item and what frames it.
        maxItemBytes + limits.partBytes.default,
      );
      call.on('data', (message: PushItemsRequest) => intake.take(message));
      call.on('end', () => intake.inputClosed());
      const peer = call.getPeer();
      call.on('cancelled', () => intake.gone(isOpen(peer) ? peer : undefined));
      call.on('error', () => intake.gone());
    },

    readResults: (call: ServerWritableStream<ReadResultsRequest, ReadResultsResponse>): void => {
      const stream = new ResultStream(
        {
          driver,
          sink: call,
          outcomeAt: (job, position) => jobs.outcomeAt(job, position),
          messageBytes: partBytes,
          progress: (job) => jobs.info(job).progress,
          groupStats: (job) => agents.groupStats(job.request.options.group?.id || job.id),
          statsMs: heartbeatMs,
          fail: (error) => void call.emit('error', statusOf(error)),
        },
        call.request,
      );
      const peer = call.getPeer();
      call.on('cancelled', () => stream.gone(isOpen(peer) ? peer : undefined));
      call.on('error', () => stream.gone());
    },

    acknowledgeResults: (
      call: ServerUnaryCall<AcknowledgeResultsRequest, AcknowledgeResultsResponse>,
      respond: sendUnaryData<AcknowledgeResultsResponse>,
    ): void => {
      const { clientSession: session, jobId: job, position } = call.request;
      jobs.ask(
        { type: 'acknowledgementReceived', job, session, position },
        answering(respond, () => ({})),
      );
    },

    getJob: (
      call: ServerUnaryCall<GetJobRequest, GetJobResponse>,
      respond: sendUnaryData<GetJobResponse>,
    ): void => {
      answer(respond, () => ({ job: jobs.info(jobs.get(call.request.jobId)) }));
    },

    listJobs: (
      call: ServerUnaryCall<ListJobsRequest, ListJobsResponse>,
      respond: sendUnaryData<ListJobsResponse>,
    ): void => {
      answer(respond, () => jobs.page(call.request, partBytes));
    },

    watchJob: (call: ServerWritableStream<WatchJobRequest, WatchJobResponse>): void => {
      try {
        const job = jobs.get(call.request.jobId);
        const watch = new JobWatch(job, call, () => jobs.info(job));
        call.on('cancelled', () => watch.stop());
        call.on('error', () => watch.stop());
      } catch (error) {
        call.emit('error', statusOf(error));
      }
    },

    cancelJob: (
      call: ServerUnaryCall<CancelJobRequest, CancelJobResponse>,
      respond: sendUnaryData<CancelJobResponse>,
    ): void => {
      const { jobId: job, reason } = call.request;
      jobs.ask(
        { type: 'cancelReceived', job, reason: reason || 'a client asked for it' },
        answering(respond, () => ({ job: jobs.info(jobs.get(job)) })),
      );
    },

    holdGroup: (call: ServerWritableStream<HoldGroupRequest, HoldGroupResponse>): void => {
      const { groupId } = call.request;
      if (groupId === '') {
        const error = new ShoalError('REQUEST_INVALID', { field: 'group_id', reason: 'is missing' });
        call.emit('error', statusOf(error));
        return;
      }
      const letGo = groups.hold(groupId, () => call.end());
      for (const event of ['cancelled', 'error', 'finish']) call.on(event, letGo);
    },

    map: (call: ServerDuplexStream<MapRequest, MapResponse>): void => {
      const mapCall = new MapCall(
        { jobs, driver },
        call,
        { messageBytes: partBytes, maxItemBytes },
        (error) => void call.emit('error', statusOf(error)),
      );
      call.on('data', (message: MapQuestion) => mapCall.take(message));
      call.on('end', () => mapCall.inputClosed());
      call.on('cancelled', () => mapCall.gone());
      call.on('error', () => mapCall.gone());
    },
  };
}

/** Answers a unary call when the core has. */
function answering<T>(respond: sendUnaryData<T>, make: (job: JobId) => T): Question {
  return {
    answered: (job) => answer(respond, () => make(job)),
    refused: (error) => respond(statusOf(error)),
  };
}
