export { type CatalogueRow, catalogue, type GrpcStatusName, isErrorCode } from './catalogue.ts';
export type { ErrorCode } from './error-code.ts';
export { describe, type Fact, type Facts } from './error-text.ts';
export { labelCharsMax, labelEntriesMax, labelFault } from './label-rule.ts';
export {
  checkIsOptions,
  checkOptionKinds,
  checkOptionNames,
  checkPath,
  kindOf,
  type OptionKind,
} from './option-names.ts';
export { bytesText, countedText, countText, durationText, timesText } from './quantity.ts';
export {
  InitializerError,
  type ItemAttempt,
  ItemError,
  type ItemErrorCode,
  type ItemErrorDetail,
  JobCancelledError,
  PoolClosedError,
  PoolTerminatedError,
  pastDeadline,
  RemoteError,
  ShoalError,
  TimeoutError,
} from './shoal-error.ts';
export { quotedText, shownText } from './shown-text.ts';
export { nearestName } from './suggestion.ts';
export { timerMsMax } from './timer-limit.ts';
