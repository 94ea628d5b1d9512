import { ShoalError } from '@shoal/errors';
import type {
  AgentInfo,
  ControlRequest,
  ControlResponse,
  CreateJobRequest,
  CreateJobResponse,
  DataRequest,
  HoldGroupRequest,
  JobInfo,
  ListAgentsResponse,
  ListJobsResponse,
  MapRequest,
  MapResponse,
  PushItemsRequest,
} from '@shoal/protocol';
import { type Identity, seesEveryJob } from './identity.ts';
import { OwnerBook } from './owner-book.ts';

/** What a rule does with one message: hands it on, hands on another in its place, or throws. */
export type MessageRule = (message: never, caller: Identity) => unknown;

/** The rules for one method. */
export interface MethodRules {
  readonly request?: MessageRule;
  readonly response?: MessageRule;
}

/** What {@link MessageRules} work with. */
export interface RuleParts {
  /** Whether a job can still be asked for. */
  readonly knowsJob: (id: string) => boolean;
  /** Jobs that can be asked for at once, at most. */
  readonly jobsMax: number;
  /** Groups, and sessions, whose owners are remembered. */
  readonly maxOwnerEntries: number;
  /** Somebody's group or session was dropped for another one. */
  readonly onDropped: () => void;
}

/**
 * What is the caller's own.
 *
 * A job belongs to whoever created it: to other clients it does not exist (JOB_NOT_FOUND says nothing of it). Its id is
 * learned from the answer that tells it to its client. So does a group of processes, in which jobs would meet each
 * other's leftovers. An agent speaks under the name in its certificate, and only for the sessions that it opened.
 */
export class MessageRules {
  readonly #jobs: OwnerBook<string>;
  readonly #groups: OwnerBook<string>;
  readonly #sessions: OwnerBook<number>;
  readonly byPath: Readonly<Record<string, MethodRules>>;

  constructor({ knowsJob, jobsMax, maxOwnerEntries, onDropped }: RuleParts) {
    // Half of them are over when it is full, so there is room without dropping one that is not, and not looked for each time.
    this.#jobs = new OwnerBook(2 * jobsMax, { isOver: (id) => !knowsJob(id) });
    this.#groups = new OwnerBook(maxOwnerEntries, { onDropped });
    this.#sessions = new OwnerBook(maxOwnerEntries, { onDropped });
    const own = rule<{ jobId: string }>((message, caller) => this.#checkOwn(message.jobId, caller, false));
    const seen = rule<{ jobId: string }>((message, caller) => this.#checkOwn(message.jobId, caller, true));
    const told = rule<{ job?: JobInfo | undefined }>((message) => ({
      ...message,
      job: message.job && this.#unscoped(message.job),
    }));
    this.byPath = {
      '/shoal.v1.JobService/CreateJob': {
        request: rule<CreateJobRequest>((message, caller) => {
          this.#claimGroup(message.options?.group?.id, caller);
          // Two clients may choose the same request id; neither must get the other's job for it.
          const { requestId } = message;
          return requestId === '' ? message : { ...message, requestId: `${caller.id}: ${requestId}` };
        }),
        response: rule<CreateJobResponse>((message, caller) => void this.#jobs.claim(message.jobId, caller)),
      },
      '/shoal.v1.JobService/PushItems': {
        request: rule<PushItemsRequest>(({ message }, caller) => {
          if (message?.$case === 'start') this.#checkOwn(message.value.jobId, caller, false);
        }),
      },
      '/shoal.v1.JobService/ReadResults': { request: own },
      '/shoal.v1.JobService/AcknowledgeResults': { request: own },
      '/shoal.v1.JobService/GetJob': { request: seen, response: told },
      '/shoal.v1.JobService/WatchJob': { request: seen, response: told },
      '/shoal.v1.JobService/CancelJob': { request: own, response: told },
      '/shoal.v1.JobService/ListJobs': {
        response: rule<ListJobsResponse>(({ jobs, nextPageToken }, caller) => ({
          nextPageToken,
          jobs: jobs
            .filter(({ jobId }) => seesEveryJob(caller) || this.#jobs.isOwnedBy(jobId, caller))
            .map((job) => this.#unscoped(job)),
        })),
      },
      '/shoal.v1.JobService/Map': {
        request: rule<MapRequest>(({ start }, caller) => this.#claimGroup(start?.options?.group?.id, caller)),
        response: rule<MapResponse>(({ jobId }, caller) => {
          // In the first message alone.
          if (jobId !== '') this.#jobs.claim(jobId, caller);
        }),
      },
      '/shoal.v1.JobService/HoldGroup': {
        request: rule<HoldGroupRequest>(({ groupId }, caller) => this.#claimGroup(groupId, caller)),
      },
      '/shoal.v1.ClusterService/ListAgents': {
        response: rule<ListAgentsResponse>(({ agents, nextPageToken }, caller) => ({
          nextPageToken,
          agents: caller.roles.has('admin')
            ? agents
            : agents.map((agent) => this.#withoutOthers(agent, caller)),
        })),
      },
      '/shoal.v1.AgentService/Control': {
        request: rule<ControlRequest>(({ message }, caller) => {
          if (message?.$case === 'join') checkName(message.value.agentName, caller);
        }),
        response: rule<ControlResponse>(({ message }, caller) => {
          if (message?.$case === 'joined') this.#sessions.claim(message.value.session, caller);
        }),
      },
      '/shoal.v1.AgentService/Data': {
        request: rule<DataRequest>(({ hello }, caller) => {
          if (hello !== undefined && !this.#sessions.isOwnedBy(hello.session, caller)) {
            throw new ShoalError('SESSION_STALE', { session: hello.session });
          }
        }),
      },
    };
  }

  #checkOwn(job: string, caller: Identity, isLooking: boolean): void {
    if (caller.roles.has('admin') || (isLooking && seesEveryJob(caller))) return;
    if (!this.#jobs.isOwnedBy(job, caller)) throw new ShoalError('JOB_NOT_FOUND', { job });
  }

  #claimGroup(group: string | undefined, caller: Identity): void {
    if (group === undefined || group === '' || this.#groups.claim(group, caller)) return;
    throw new ShoalError('PERMISSION_DENIED', {
      who: caller.words,
      what: 'this group of processes',
      allowed: 'whoever used it first',
    });
  }

  #unscoped(job: JobInfo): JobInfo {
    const scope = `${this.#jobs.ownerOf(job.jobId) ?? ''}: `;
    return job.requestId.startsWith(scope) ? { ...job, requestId: job.requestId.slice(scope.length) } : job;
  }

  /** Whoever knows the id of a group can run code beside its jobs: it is told to those whose group it is. */
  #withoutOthers(agent: AgentInfo, caller: Identity): AgentInfo {
    const shown = <T extends { readonly groupId: string }>(each: T): T =>
      this.#groups.isOwnedBy(each.groupId, caller) ? each : { ...each, groupId: '' };
    const { stats } = agent;
    if (stats === undefined) return agent;
    return {
      ...agent,
      stats: {
        ...stats,
        processes: stats.processes.map(shown),
        // Why others' processes were not forked may name a file of theirs.
        starts: stats.starts && { ...stats.starts, notForked: '' },
        groupLosses: stats.groupLosses.filter(({ groupId }) => this.#groups.isOwnedBy(groupId, caller)),
      },
    };
  }
}

function checkName(agentName: string, caller: Identity): void {
  // Who has a token instead of a certificate has no name that could be proven.
  if (caller.name === undefined || caller.name === agentName) return;
  throw new ShoalError('PERMISSION_DENIED', {
    who: caller.words,
    what: `joining as ${agentName}`,
    allowed: `an agent with a certificate of that name`,
  });
}

/** A rule for messages of one type: what it returns takes the message's place, undefined leaves it as it is. */
function rule<Message>(apply: (message: Message, caller: Identity) => unknown): MessageRule {
  return (message: never, caller) => apply(message as Message, caller) ?? message;
}
