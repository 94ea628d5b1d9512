// The most memory that a coordinator ever had while a long stream went through it (Linux):
// `node stream-memory.ts SETTING`.
import { readFileSync } from 'node:fs';
import { connect } from 'shoal';
import { ClusterProcesses } from '../../examples/demo/cluster-processes.ts';
import { Fingerprint } from './items.ts';
import { type Setting, tasksUrl } from './peer.ts';

const setting = JSON.parse(process.argv[2] ?? '') as Setting;
const names = Array.from({ length: setting.processes }, (_, index) => `agent-${index + 1}`);
const cluster = await ClusterProcesses.start(names, 1);
const pool = await connect(cluster.address);

function* numbers(): Generator<number> {
  for (let index = 0; index < setting.items; index += 1) yield index;
}

const fingerprint = new Fingerprint();
for await (const result of pool.imap(tasksUrl, numbers(), { export: setting.task })) fingerprint.add(result);

// The kernel's own high-water mark: no sample can miss the peak.
const status = readFileSync(`/proc/${cluster.coordinatorPid}/status`, 'utf8');
const value = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
process.stdout.write(`${JSON.stringify({ value, digest: fingerprint.digest() })}\n`);
await pool.terminate();
await cluster.stop();
