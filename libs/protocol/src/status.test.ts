import { Metadata, status } from '@grpc/grpc-js';
import {
  catalogue,
  type ErrorCode,
  InitializerError,
  JobCancelledError,
  PoolClosedError,
  PoolTerminatedError,
  ShoalError,
  TimeoutError,
} from '@shoal/errors';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { triedLimit } from '../../../test/limit-edges.ts';
import { Any } from './gen/google/protobuf/any.ts';
import { ErrorInfo } from './gen/google/rpc/error_details.ts';
import { Status } from './gen/google/rpc/status.ts';
import { errorFromStatus, statusOf } from './status.ts';

const context = { address: '10.0.0.5:7300' };
const codes = Object.keys(catalogue) as ErrorCode[];
const richStatusOf = (metadata: Metadata): Status =>
  Status.decode(metadata.get('grpc-status-details-bin')[0] as Buffer);

/** A status with this ErrorInfo, as a server of another version or language might send it. */
function foreign(
  info: Partial<ErrorInfo>,
  code: number,
  details: string,
): Parameters<typeof errorFromStatus>[0] {
  const metadata = new Metadata();
  const value = ErrorInfo.encode(ErrorInfo.create(info)).finish();
  const rich = Status.create({
    code,
    message: details,
    details: [
      Any.create({ typeUrl: 'type.googleapis.com/google.rpc.DebugInfo', value: Buffer.from([255]) }),
      { typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value },
    ],
  });
  metadata.set('grpc-status-details-bin', Buffer.from(Status.encode(rich).finish()));
  return { code, details, metadata };
}

describe('an error on its way to the caller', () => {
  test.each(codes)('%s arrives with its code, its facts, its class and its message', (code) => {
    const facts: Record<string, string | number> = {};
    const { message, remedy } = catalogue[code];
    for (const [, name] of `${message} ${remedy}`.matchAll(/\{(\w+)\}/g)) facts[name as string] = `<${name}>`;
    const sent = new ShoalError(code, facts);
    const received = errorFromStatus(statusOf(sent), context);
    expect(received).toBeInstanceOf(ShoalError);
    expect(received.code).toBe(code);
    expect(received.facts).toEqual(code.startsWith('POOL_') && Object.keys(facts).length === 0 ? {} : facts);
    expect(received.message).toBe(sent.message);
    expect(received.retryable).toBe(sent.retryable);
  });

  test('carries exactly one ErrorInfo: the code, the domain shoal, the facts as text', () => {
    const { code, details, metadata } = statusOf(new ShoalError('JOB_NOT_FOUND', { job: 'j-1' }));
    const rich = richStatusOf(metadata);
    expect(code).toBe(status.NOT_FOUND);
    expect(rich).toMatchObject({ code, message: details });
    expect(rich.details.map((detail) => detail.typeUrl)).toEqual([
      'type.googleapis.com/google.rpc.ErrorInfo',
    ]);
    expect(ErrorInfo.decode(rich.details[0]?.value as Uint8Array)).toEqual({
      reason: 'JOB_NOT_FOUND',
      domain: 'shoal',
      metadata: { job: 'j-1' },
    });
  });

  test('keeps numbers as numbers', () => {
    const sent = new ShoalError('RESULT_ACKNOWLEDGED', { cursor: 12, index: 3 });
    expect(errorFromStatus(statusOf(sent), context).facts).toEqual({ cursor: 12, index: 3 });
  });

  test.each([
    [new JobCancelledError({ reason: 'operator' }), JobCancelledError],
    [new JobCancelledError({ limit: '1 s' }, 'JOB_DEADLINE'), JobCancelledError],
    [new TimeoutError({ what: 'next()', limit: '1 s' }), TimeoutError],
    [new InitializerError({ where: 'agent-1', reason: 'no' }), InitializerError],
    [new PoolClosedError(), PoolClosedError],
    [new PoolTerminatedError(), PoolTerminatedError],
  ])('is of the class that users catch: %o', (sent, expected) => {
    expect(errorFromStatus(statusOf(sent), context)).toBeInstanceOf(expected);
  });

  test('that is no error of ours is an INTERNAL one, without its stack', () => {
    const sent = statusOf(new TypeError('x is undefined'));
    expect(sent.code).toBe(status.INTERNAL);
    expect(sent.details).toContain('TypeError: x is undefined');
    expect(sent.details).not.toContain('status.test.ts');
  });

  test('stays small enough for trailers, however long its facts', () => {
    const { metadata, details } = statusOf(new ShoalError('TASK_LOAD_FAILED', { reason: 'x'.repeat(1e6) }));
    const bytes = (metadata.get('grpc-status-details-bin')[0] as Buffer).length + details.length;
    expect(bytes).toBeLessThan(8192);
  });
});

describe('an error from a server of another version', () => {
  test('with a code that is not known here keeps code, message and facts', () => {
    const received = errorFromStatus(
      foreign({ reason: 'QUOTA_USED_UP', domain: 'shoal', metadata: { left: '0' } }, 8, 'No quota left.'),
      context,
    );
    expect(received).toMatchObject({ code: 'QUOTA_USED_UP', message: 'No quota left.', facts: { left: 0 } });
    expect(received.retryable).toBe(false);
    expect(received).toBeInstanceOf(ShoalError);
  });

  test('can be sent on, code and all', () => {
    const received = errorFromStatus(foreign({ reason: 'NEW', domain: 'shoal' }, 8, 'New.'), context);
    expect(errorFromStatus(statusOf(received), context)).toMatchObject({ code: 'NEW', message: 'New.' });
  });

  test('of another domain is not taken for one of ours', () => {
    const received = errorFromStatus(
      foreign({ reason: 'JOB_NOT_FOUND', domain: 'else' }, 14, 'busy'),
      context,
    );
    expect(received.code).toBe('CANNOT_CONNECT');
  });

  test('with details that cannot be read falls back to the plain status', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const metadata = new Metadata();
        metadata.set('grpc-status-details-bin', Buffer.from(bytes));
        const received = errorFromStatus({ code: 14, details: 'x', metadata }, context);
        expect(received.code).toBe('CANNOT_CONNECT');
      }),
      { numRuns: 300 },
    );
  });
});

test.each([1_999, 2_000, 2_001])('a status text of %i characters is cut beyond 2,000', (chars) => {
  const textOf = (reason: string): ShoalError => new ShoalError('TASK_LOAD_FAILED', { reason });
  const error = textOf('x'.repeat(chars - textOf('').message.length));
  expect(error.message).toHaveLength(chars);
  const cut = `${error.message.slice(0, 1_999)}…`;
  expect(statusOf(error).details).toBe(chars <= 2_000 ? error.message : cut);
  triedLimit('statusTextChars', error.message.length, 2_000);
});
