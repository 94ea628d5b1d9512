/**
 * A coordinator with other times than `shoal coordinator` has: `node coordinator-main.ts '{"leaseMs": …}'`.
 * It is for scenarios in which the default times are not the point.
 */
import { type CoordinatorConfig, startCoordinator } from '@shoal/coordinator';

const coordinator = await startCoordinator(JSON.parse(process.argv[2] ?? '{}') as CoordinatorConfig);
console.log(`coordinator listening on ${coordinator.address}`);
process.once('SIGTERM', () => void coordinator.close({ drain: false }));
