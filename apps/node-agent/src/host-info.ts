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
    // The limit of a container where there is one; 0 or something absurd where there is none.
    memoryBytes: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
    pid: process.pid,
    nodeVersion: process.versions.node,
  });
}
