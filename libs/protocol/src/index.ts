export type { FailedCall } from './call-limits.ts';
export {
  errorOf,
  readCatalogueError,
  writeCatalogueError,
} from './catalogue-error.ts';
export { clientOptions } from './channel-options.ts';
export { closingForGood } from './closing-credentials.ts';
export type { CallContext } from './connection-failure.ts';
export { DialCredentials, type DialMaterial, type DialOptions } from './dial-credentials.ts';
export { readFacts, writeFacts } from './facts.ts';
export { FlowControlledWriter, type WritableCall } from './flow-controlled-writer.ts';
export { doorNotice } from './full-notice.ts';
export { HealthService } from './gen/grpc/health/v1/health.ts';
export {
  ServerReflectionClient,
  ServerReflectionResponse,
  ServerReflectionService as ReflectionV1Service,
} from './gen/grpc/reflection/v1/reflection.ts';
export { ServerReflectionService as ReflectionV1AlphaService } from './gen/grpc/reflection/v1alpha/reflection.ts';
export {
  AccessServiceClient,
  type AccessServiceServer,
  AccessServiceService,
  CreateJoinTokenRequest,
  CreateJoinTokenResponse,
  JoinClusterRequest,
  JoinClusterResponse,
  JoinTokenInfo,
  ListJoinTokensRequest,
  ListJoinTokensResponse,
  RenewCertificateRequest,
  RenewCertificateResponse,
  RevokeJoinTokenRequest,
  RevokeJoinTokenResponse,
} from './gen/shoal/v1/access.ts';
export {
  type AgentServiceServer,
  AttemptChildDied,
  AttemptEnded,
  AttemptFinished,
  AttemptReport,
  AttemptReturned,
  AttemptUnrunnable,
  ControlRequest,
  ControlResponse,
  DataHello,
  DataRequest,
  DataResponse,
  Dispatch,
  Drain,
  Draining,
  FailedTry,
  ForgetBlocks,
  Heartbeat,
  HeartbeatAnswer,
  HeldAttempt,
  JobBlocks,
  JobPrints,
  JobSetup,
  Join,
  Joined,
  Leaving,
  Resume,
  Revoke,
  RevokeReason,
  SessionEnded,
  SessionEndReason,
  SlotsChanged,
} from './gen/shoal/v1/agent.ts';
export {
  BundleHeader,
  BundleInfo,
  BundleServiceClient,
  type BundleServiceServer,
  BundleServiceService,
  GetBundleRequest,
  GetBundleResponse,
  HasBundlesRequest,
  HasBundlesResponse,
  ListBundlesRequest,
  ListBundlesResponse,
  NameBundleRequest,
  NameBundleResponse,
  PutBundleRequest,
  PutBundleResponse,
} from './gen/shoal/v1/bundle.ts';
export {
  AgentInfo,
  AgentState,
  AgentStats,
  ChildProcess,
  ChildStarts,
  ChildState,
  ClusterServiceClient,
  type ClusterServiceServer,
  ClusterServiceService,
  DrainAgentRequest,
  DrainAgentResponse,
  GetStatusRequest,
  GetStatusResponse,
  GroupLosses,
  HostInfo,
  ListAgentsRequest,
  ListAgentsResponse,
  Protection,
  ResumeAgentRequest,
  ResumeAgentResponse,
  WatchEventsRequest,
  WatchEventsResponse,
} from './gen/shoal/v1/cluster.ts';
export {
  Block,
  CatalogueError,
  ChildSetup,
  Encoding,
  ErrorNames,
  FailureKind,
  Initializer,
  Isolation,
  ItemAttempt,
  ItemFailure,
  ItemRange,
  JobGroup,
  JobOptions,
  ModuleExport,
  OutputLimits,
  Peer,
  Print,
  PrintStream,
  RegisteredTask,
  ResultRun,
  RetryBudgets,
  RetryOn,
  StartMode,
  StdioMode,
  TaskRef,
} from './gen/shoal/v1/common.ts';
export {
  AcknowledgeResultsRequest,
  AcknowledgeResultsResponse,
  CancelJobRequest,
  CancelJobResponse,
  CreateJobRequest,
  CreateJobResponse,
  EndOfInput,
  GetJobRequest,
  GetJobResponse,
  GrantedItems,
  GroupStats,
  HoldGroupRequest,
  HoldGroupResponse,
  JobEnded,
  JobInfo,
  JobProgress,
  type JobServiceServer,
  JobState,
  ListJobsRequest,
  ListJobsResponse,
  MapOutcome,
  MapRequest,
  MapResponse,
  MapStart,
  MapSummary,
  Outcome,
  OutcomeBatch,
  PushItemsRequest,
  PushItemsResponse,
  PushStart,
  ReadResultsRequest,
  ReadResultsResponse,
  WatchJobRequest,
  WatchJobResponse,
} from './gen/shoal/v1/job.ts';
export { groupStatsOf } from './group-stats.ts';
export { Health } from './health.ts';
export { type Limit, type LimitName, limits } from './limits.ts';
export { ListenCredentials, type ListenMaterial } from './listen-credentials.ts';
export { FramedValues, isFramed, type MapAnswer, writeFailure } from './map-answer.ts';
export { type MapItems, type MapQuestion, readQuestion } from './map-items.ts';
export { peerOfCall } from './peer-address.ts';
export { createServer, type ServedService, type ShoalServer } from './server.ts';
export { defaultServerLimits, type ServerLimits } from './server-limits.ts';
export {
  AgentServiceClient,
  AgentServiceService,
  JobServiceClient,
  JobServiceService,
} from './services.ts';
export {
  type CallStatus,
  errorFromStatus,
  statusOf,
  toldError,
} from './status.ts';
export { needsTls, type TlsComplaint } from './tls-failure.ts';
export { speaksTls } from './tls-probe.ts';
export {
  checkPeer,
  type NamedVersion,
  oldestProtocolNumber,
  ownPeer,
  packageVersion,
  protocolNumber,
} from './version.ts';
