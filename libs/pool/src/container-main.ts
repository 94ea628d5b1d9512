/** What a child in a container runs: it takes the environment that it was given, dials back, and is a child like others. */
import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { runChild } from './child/child-program.ts';

const workDir = '/tmp/work';

const started: unknown = JSON.parse(process.env['SHOAL_START'] ?? '{}');
// What the image and its shell have set is not the child's.
for (const name of Object.keys(process.env)) if (name !== 'PATH') delete process.env[name];
const { env, secret } = started as { env: Record<string, string>; secret: string };
Object.assign(process.env, { HOME: workDir, TMPDIR: workDir }, env);
// Beside it may lie the folder with the code, under the name that it has outside.
mkdirSync(workDir);
process.chdir(workDir);

const socket = connect('/shoal/channel');
socket.once('connect', () => {
  socket.write(secret);
  runChild({ descriptor: socket });
});
