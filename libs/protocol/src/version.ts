import { ShoalError } from '@shoal/errors';
import type { Peer } from './gen/shoal/v1/common.ts';

/** The release that this code belongs to. A test compares it with package.json. */
export const packageVersion: string = '0.1.0';

/**
 * The protocol that this code speaks.
 *
 * Raised by one when a peer that does not know of a change could not work with one that does. What is only added (a
 * field with a default, a method, an enum value) raises nothing: older peers overlook it. Until the first release 1 is what
 * that release will speak, however often it changes: nobody has an older peer.
 */
export const protocolNumber: number = 1;

/** The oldest protocol that this code still speaks. */
export const oldestProtocolNumber: number = 1;

/** How this code introduces itself. */
export const ownPeer: Peer = {
  version: packageVersion,
  protocol: protocolNumber,
  oldestProtocol: oldestProtocolNumber,
};

/** Whether two peers understand each other: the ranges of protocols that they speak meet. */
export function understands(one: Peer, other: Peer): boolean {
  return one.protocol >= other.oldestProtocol && other.protocol >= one.oldestProtocol;
}

/** A peer that is told in a table of versions, such as `agent-2` with its release. */
export interface NamedVersion {
  readonly name: string;
  readonly version: string;
}

/** So many bystanders are listed; the rest is counted. */
const bystandersMax = 5;

/**
 * Refuses a peer that this code does not understand, with a table of versions: of both sides, of the bystanders that the
 * caller knows of, and which of the two is to be upgraded.
 *
 * A peer that says nothing (`undefined`: clients in other languages, where it is optional) is taken to fit.
 * Throws `VERSION_MISMATCH`; `other` and `own` are how the two are called there, such as `agent-2` and `coordinator`.
 */
export function checkPeer(
  peer: Peer | undefined,
  other: string,
  own: string = 'coordinator',
  bystanders: () => readonly NamedVersion[] = () => [],
): void {
  if (peer === undefined || understands(ownPeer, peer)) return;
  const isOtherOld = peer.protocol < ownPeer.protocol;
  const rows = [
    { name: other, peer, needs: isOtherOld ? ownPeer.oldestProtocol : undefined },
    { name: own, peer: ownPeer, needs: isOtherOld ? undefined : peer.oldestProtocol },
  ].map(({ name, needs, peer: { version, protocol } }) => {
    const needed = needs === undefined ? '' : `, needs ${needs}`;
    return `${name} ${version} (protocol ${protocol}${needed})`;
  });
  const others = bystanders();
  const listed = others.slice(0, bystandersMax).map(({ name, version }) => `${name} ${version}`);
  const unlisted = others.length - listed.length;
  const rest = unlisted > 0 ? [`${unlisted} more`] : [];
  const versions = [...rows, ...listed, ...rest].join(', ');
  throw new ShoalError('VERSION_MISMATCH', { versions, outdated: isOtherOld ? other : own });
}
