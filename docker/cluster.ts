// `npm run cluster:up [-- --agents 5]` and `npm run cluster:down`: a cluster of containers on this machine.
import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { buildImage, run } from './image.ts';

// Two clusters on one machine need a name and a port each.
const name = process.env['SHOAL_CLUSTER'] ?? 'shoal';
const project = ['-p', name, '-f', fileURLToPath(new URL('compose.yaml', import.meta.url))];
const healthyWithinMs = 120_000;
const port = process.env['SHOAL_PORT'] ?? '7300';
/** Below the repository's root. */
const tlsDir = `.build/clusters/${name}`;

interface ContainerState {
  readonly Name: string;
  readonly State: { readonly Status: string; readonly Health?: { readonly Status: string } };
}

async function up(agents: number): Promise<void> {
  console.log('Building the image shoal:local');
  await buildImage();
  const parts = `a coordinator and ${agents} ${agents === 1 ? 'agent' : 'agents'}`;
  console.log(`Starting ${parts}`);
  await compose(['up', '-d', '--scale', `agent=${agents}`]);
  await untilHealthy(1 + agents);
  await fetchCertificate();
  const at = `--address 127.0.0.1:${port} --tls-dir ${tlsDir}`;
  console.log(`The cluster is up: ${parts}; it listens on 127.0.0.1:${port}. ${tlsDir} lets you in.

  seq 1 100 | npx shoal map examples/square.ts#square ${at}
  npx shoal status ${at}
  npm run cluster:down`);
}

/** The certificate with which one is the admin of the cluster, out of its coordinator. */
async function fetchCertificate(): Promise<void> {
  const ids = ['ps', '-q', '--filter', `label=com.docker.compose.project=${name}`];
  const coordinator = await output('docker', [
    ...ids,
    '--filter',
    'label=com.docker.compose.service=coordinator',
  ]);
  const target = fileURLToPath(new URL(`../${tlsDir}/`, import.meta.url));
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true, mode: 0o700 });
  for (const file of ['ca.crt', 'client.crt', 'client.key']) {
    await run('docker', ['cp', `${coordinator}:/home/node/tls/${file}`, target]);
  }
}

async function down(): Promise<void> {
  await compose(['down', '--volumes', '--remove-orphans']);
  await rm(fileURLToPath(new URL(`../${tlsDir}`, import.meta.url)), { recursive: true, force: true });
  console.log('The cluster is down.');
}

/** Waits until this many containers call themselves healthy; says what each one is doing when they do not. */
async function untilHealthy(containers: number): Promise<void> {
  const deadline = Date.now() + healthyWithinMs;
  for (;;) {
    const states = await containerStates();
    const seen = states.map(({ Name, State }) => `${Name.slice(1)}: ${State.Health?.Status ?? State.Status}`);
    if (states.filter(({ State }) => State.Health?.Status === 'healthy').length >= containers) return;
    if (Date.now() > deadline) {
      throw new Error(`Not healthy within ${healthyWithinMs / 1000} s: ${seen.join(', ')}.\n${await logs()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function containerStates(): Promise<ContainerState[]> {
  const ids = await output('docker', ['ps', '-aq', '--filter', `label=com.docker.compose.project=${name}`]);
  return ids === '' ? [] : JSON.parse(await output('docker', ['inspect', ...ids.split('\n')]));
}

async function logs(): Promise<string> {
  const [program, args] = await composeProgram();
  return output(program, [...args, ...project, 'logs', '--no-color', '--tail', '20']);
}

async function compose(args: readonly string[]): Promise<void> {
  const [program, before] = await composeProgram();
  await run(program, [...before, ...project, ...args]);
}

/** Compose is a plugin of the docker command in newer installations and a program of its own in older ones. */
async function composeProgram(): Promise<[string, string[]]> {
  if (await answers('docker', ['compose', 'version'])) return ['docker', ['compose']];
  if (await answers('docker-compose', ['version'])) return ['docker-compose', []];
  throw new Error(
    'Neither `docker compose` nor docker-compose is here. Install one (Debian: apt-get install docker-compose).',
  );
}

async function answers(program: string, args: readonly string[]): Promise<boolean> {
  return output(program, args).then(
    () => true,
    () => false,
  );
}

async function output(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 16 * 1024 * 1024 });
  return stdout.trim();
}

function usage(problem: string): never {
  console.error(`${problem}\nUsage: node docker/cluster.ts up [--agents N] | down`);
  process.exit(2);
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { agents: { type: 'string', default: '3' } },
});
const agents = Number(values.agents);
if (!Number.isInteger(agents) || agents < 1)
  usage(`--agents must be a whole number from 1, not ${values.agents}`);

try {
  if (positionals[0] === 'up') await up(agents);
  else if (positionals[0] === 'down') await down();
  else usage(`Say up or down, not ${positionals[0] ?? 'nothing'}.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
