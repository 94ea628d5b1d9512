import { arch, hostname, platform, totalmem } from 'node:os';
import { usableCpus } from '@shoal/pool';
import { HostInfo } from '@shoal/protocol';

/** The machine, as operators see it. */
export function hostInfo(): HostInfo {
  return HostInfo.fromPartial({
    hostname: hostname(),
    platform: platform(),
    arch: arch(),
    cpus: usableCpus(),
    memoryBytes: usableMemory(),
    pid: process.pid,
    nodeVersion: process.versions.node,
  });
}

/** Memory that the agent can use: the limit of its container where there is one, and what the machine has. */
export function usableMemory(): number {
  // 0 or something absurd where there is no limit.
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
}
