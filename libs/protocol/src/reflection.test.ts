import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import type { ServerReflectionRequest } from './gen/grpc/reflection/v1/reflection.ts';
import { Reflection } from './reflection.ts';

const reflection = new Reflection(['shoal.v1.JobService', 'grpc.health.v1.Health']);
const ask = (messageRequest: ServerReflectionRequest['messageRequest']): unknown =>
  reflection.answer({ host: '', ...(messageRequest === undefined ? {} : { messageRequest }) });

/** The names of the files in an answer. */
function filesIn(answer: unknown): string[] {
  const { value } = answer as { value: { fileDescriptorProto: Uint8Array[] } };
  return value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
}

describe('reflection', () => {
  test('lists the services by name', () => {
    expect(ask({ $case: 'listServices', value: '' })).toEqual({
      $case: 'listServicesResponse',
      value: { service: [{ name: 'grpc.health.v1.Health' }, { name: 'shoal.v1.JobService' }] },
    });
  });

  test.each(['shoal.v1.JobService', 'shoal.v1.JobService.Map', 'shoal.v1.MapRequest', 'shoal.v1.JobState'])(
    'finds the file of %s, and brings what that imports',
    (value) => {
      const files = filesIn(ask({ $case: 'fileContainingSymbol', value }));
      expect(files).toEqual(['shoal/v1/job.proto', 'shoal/v1/cluster.proto', 'shoal/v1/common.proto']);
    },
  );

  test('finds a file by its name, and a nested enum by its own', () => {
    expect(filesIn(ask({ $case: 'fileByFilename', value: 'google/rpc/status.proto' }))).toEqual([
      'google/rpc/status.proto',
      'google/protobuf/any.proto',
    ]);
    const nested = 'grpc.health.v1.HealthCheckResponse.ServingStatus';
    expect(filesIn(ask({ $case: 'fileContainingSymbol', value: nested }))).toEqual([
      'grpc/health/v1/health.proto',
    ]);
  });

  test('gives descriptors that a client can link', () => {
    const { value } = ask({ $case: 'fileContainingSymbol', value: 'shoal.v1.AgentService' }) as {
      value: { fileDescriptorProto: Uint8Array[] };
    };
    const files = value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
    const [first] = files;
    if (first === undefined) throw new Error('no file');
    const registry = createFileRegistry(first, (name) => files.find((file) => file.name === name));
    expect(registry.getService('shoal.v1.AgentService')?.methods.map((method) => method.name)).toEqual([
      'Control',
      'Data',
    ]);
  });

  test.each([
    [{ $case: 'fileByFilename', value: '../../etc/passwd' } as const, status.NOT_FOUND],
    [{ $case: 'fileContainingSymbol', value: 'constructor' } as const, status.NOT_FOUND],
    [{ $case: 'allExtensionNumbersOfType', value: 'shoal.v1.Nothing' } as const, status.NOT_FOUND],
    [
      {
        $case: 'fileContainingExtension',
        value: { containingType: 'shoal.v1.Block', extensionNumber: 7 },
      } as const,
      status.NOT_FOUND,
    ],
    [undefined, status.INVALID_ARGUMENT],
  ])('answers %o with an error, and goes on', (question, errorCode) => {
    expect(ask(question)).toMatchObject({ $case: 'errorResponse', value: { errorCode } });
  });

  test('knows no extensions of a message that there is', () => {
    expect(ask({ $case: 'allExtensionNumbersOfType', value: 'shoal.v1.Block' })).toEqual({
      $case: 'allExtensionNumbersResponse',
      value: { baseTypeName: 'shoal.v1.Block', extensionNumber: [] },
    });
  });
});
