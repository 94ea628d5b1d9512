/** What is taken over from tasks of what they print and of the errors that they throw. What is more is cut and counted. */
export interface OutputLimits {
  /** What one item prints. */
  readonly printBytes: number;
  /** What one process prints. */
  readonly printBytesPerSecond: number;
  /** The message of an error, and its stack. */
  readonly errorChars: number;
  /** Errors in a chain of `cause`, below the one that was thrown. */
  readonly errorDepth: number;
  /** Own fields of an error. */
  readonly errorFields: number;
  /** All of an error, encoded. */
  readonly errorBytes: number;
}

const printBytes = 64 * 1024;
const printBytesPerSecond = 1024 * 1024;
const errorChars = 16_384;
const errorDepth = 8;
const errorFields = 64;
// It travels in messages that hold many; this is far below the limit of one.
const errorBytes = 256 * 1024;

/** Where nobody says others. */
export const defaultOutputLimits: OutputLimits = {
  printBytes,
  printBytesPerSecond,
  errorChars,
  errorDepth,
  errorFields,
  errorBytes,
};
