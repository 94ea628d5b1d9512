import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Coordinator, type Log, startCoordinator } from '@shoal/coordinator';
import { type Agent, startAgent } from '@shoal/node-agent';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const here = `${root}examples/python/`;
const run = promisify(execFile);

/** Debian's own, which has the packages: the first python3 of the PATH may be another one. */
const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
const hasGrpc = await run(python, ['-c', 'import grpc, google.protobuf']).then(
  () => true,
  () => false,
);
if (!hasGrpc) {
  const missing = 'examples/python is not tried: python3-grpcio and python3-protobuf are missing.';
  // .ci/run installs them, and wants everything tried.
  if (process.env['REQUIRE_DOCKER'] === '1') throw new Error(missing);
  console.error(missing);
}

const quiet = { info() {}, warn() {}, error() {}, debug() {} } as unknown as Log;

interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs client.py with this input. */
function client(args: readonly string[], input: string): Promise<Ending> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, ['client.py', ...args], { cwd: here });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(input);
  });
}

/** Runs the shoal command from its sources. */
async function shoal(...args: readonly string[]): Promise<Ending> {
  const command = ['--conditions=@shoal/source', `${root}test/shoal.js`, ...args];
  try {
    return { code: 0, ...(await run(process.execPath, command, { cwd: here })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Ending;
    return { code, stdout, stderr };
  }
}

describe.skipIf(!hasGrpc)('Python, on a cluster', () => {
  let coordinator: Coordinator;
  let agent: Agent;
  let address: string;

  beforeAll(async () => {
    coordinator = await startCoordinator({ listen: '127.0.0.1:0', log: quiet });
    address = coordinator.address;
    agent = await startAgent({ join: address, name: 'agent-1', processes: 2, log: quiet });
    const pushed = await shoal('bundle', 'push', 'imaging@1', 'resize.ts', '--address', address);
    const stdout = expect.stringMatching(/^imaging@1 [0-9a-f]{64}\n$/);
    expect(pushed).toEqual({ code: 0, stdout, stderr: '' });
  });

  afterAll(async () => {
    await agent?.close({ drain: false });
    await coordinator?.close({ drain: false });
  });

  test('maps JSON items through a named function, as the README shows', async () => {
    const ending = await client([address, 'imaging#resize'], readFileSync(`${here}pictures.ndjson`, 'utf8'));
    const [, shown] = /```\n(\{[\s\S]*?)```/.exec(readFileSync(`${here}README.md`, 'utf8')) ?? [];
    const stderr = expect.stringMatching(/^job-\w+ maps imaging#resize\n3 succeeded, 1 failed\n$/);
    expect(ending).toEqual({ code: 1, stdout: shown, stderr });
  });

  test('gets 10,000 results in the order of its items, from one version of the bundle', async () => {
    const pictures = Array.from({ length: 10_000 }, (_, i) => ({
      name: `p${i}`,
      width: 1600,
      height: 1 + i,
    }));
    const input = pictures.map((picture) => JSON.stringify(picture)).join('\n');
    const { code, stdout } = await client([address, 'imaging@1#resize'], input);
    const names = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { name: string }).name);
    expect(code).toBe(0);
    expect(names).toEqual(pictures.map(({ name }) => name));
  });

  test('needs no items', async () => {
    expect(await client([address, 'imaging#resize'], '')).toEqual({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/^job-\w+ maps imaging#resize\n0 succeeded, 0 failed\n$/),
    });
  });

  test('is told at once which job it is, why that waits, and how it is ended from elsewhere', async () => {
    const script = `
import sys, threading, grpc
from shoal.v1 import common_pb2, job_pb2, job_pb2_grpc
with grpc.insecure_channel(sys.argv[1]) as channel:
    jobs = job_pb2_grpc.JobServiceStub(channel)
    options = common_pb2.JobOptions(labels={"gpu": "a100"})
    start = job_pb2.MapStart(function="imaging#resize", options=options)
    answers = jobs.Map(iter([job_pb2.MapRequest(start=start, items=[b"{}"])]))
    job_id = next(answers).job_id
    for seen in jobs.WatchJob(job_pb2.WatchJobRequest(job_id=job_id)):
        if seen.job.progress.waiting_for:
            print(seen.job.job_id == job_id, seen.job.progress.waiting_for)
            break
    jobs.CancelJob(job_pb2.CancelJobRequest(job_id=job_id, reason="no such machine here"))
    try:
        next(answers)
    except grpc.RpcError as error:
        print(error.code().name, error.details())
`;
    const { stdout } = await run(python, ['-c', script, address], { cwd: here, timeout: 60_000 });
    const [waits, ended] = stdout.split('\n');
    expect(waits).toMatch(/^True no agent has .*gpu=a100/);
    expect(ended).toBe('CANCELLED The job was cancelled: no such machine here.');
  });

  test.each([
    ['imagine#resize', 'NOT_FOUND: There is no bundle imagine.'],
    ['imaging@2#resize', 'NOT_FOUND: There is no bundle imaging@2.'],
    ['imaging#resise', 'has no export "resise". Exports: resize.'],
  ])('is told what is wrong with %s', async (name, message) => {
    const ending = await client([address, name], '{}\n');
    expect(ending).toMatchObject({ code: 1, stdout: '' });
    expect(ending.stderr).toContain(message);
    expect(ending.stderr).not.toContain('Traceback');
  });

  test('sees a version that never changes', async () => {
    const again = await shoal('bundle', 'push', 'imaging@1', 'resize.ts', '--address', address);
    expect(again.code).toBe(0);
    const folder = mkdtempSync(join(tmpdir(), 'shoal-python-'));
    const file = join(folder, 'other.ts');
    writeFileSync(file, 'export const resize = (picture: object): object => picture;');
    const other = await shoal('bundle', 'push', 'imaging@1', file, '--address', address);
    rmSync(folder, { recursive: true });
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('BUNDLE_EXISTS');
    expect(other.stderr).toContain('Push it under a new version.');
  });

  test('is one of many: buf curl lists every service and calls Map', async () => {
    const curl = async (...args: readonly string[]): Promise<string> => {
      const flags = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...args];
      return (await run(`${root}node_modules/.bin/buf`, flags)).stdout;
    };
    expect((await curl('--list-services', `http://${address}`)).trim().split('\n')).toEqual([
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'shoal.v1.AccessService',
      'shoal.v1.AgentService',
      'shoal.v1.BundleService',
      'shoal.v1.ClusterService',
      'shoal.v1.JobService',
    ]);
    const item = Buffer.from('{"name":"boat.jpg","width":4000,"height":3000}').toString('base64');
    const request = JSON.stringify({ start: { function: 'imaging#resize' }, items: [item] });
    const answer = await curl('-d', request, `http://${address}/shoal.v1.JobService/Map`);
    const value = Buffer.from('{"name":"boat.jpg","width":800,"height":600}').toString('base64');
    expect(answer).toContain(`"value": "${value}"`);
    expect(answer).toContain('"succeeded": "1"');
  });
});

test.skipIf(!hasGrpc)('the committed Python code is that of the .proto files', async () => {
  const script = `
import base64, json, sys
from google.protobuf import descriptor_pb2
from shoal.v1 import cluster_pb2, common_pb2, job_pb2

def without_json_names(serialized):
    # One compiler writes them down, the other leaves them out.
    file = descriptor_pb2.FileDescriptorProto.FromString(serialized)
    def strip(message):
        for field in message.field:
            field.ClearField("json_name")
        for inner in message.nested_type:
            strip(inner)
    for message in file.message_type:
        strip(message)
    return file

for module, ours in zip((common_pb2, cluster_pb2, job_pb2), json.loads(sys.argv[1])):
    same = without_json_names(module.DESCRIPTOR.serialized_pb) == without_json_names(base64.b64decode(ours))
    print(module.DESCRIPTOR.name, "is current" if same else "is old: run examples/python/generate.sh")
`;
  const source = readFileSync(`${root}libs/protocol/src/gen/descriptors.ts`, 'utf8');
  const ours = ['common', 'cluster', 'job'].map(
    (name) => new RegExp(`"name": "shoal/v1/${name}.proto",[\\s\\S]*?"base64": "([^"]*)"`).exec(source)?.[1],
  );
  const { stdout } = await run(python, ['-c', script, JSON.stringify(ours)], { cwd: here });
  expect(stdout.trim().split('\n')).toEqual([
    'shoal/v1/common.proto is current',
    'shoal/v1/cluster.proto is current',
    'shoal/v1/job.proto is current',
  ]);
});
