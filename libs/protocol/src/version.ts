import { ShoalError } from '@shoal/errors';
import type { Peer } from './gen/shoal/v1/common.ts';

/** The release that this code belongs to. A test compares it with package.json. */
export const packageVersion: string = '0.1.0';

/**
 * The protocol that this code speaks.
 *
 * Raised by one when a peer that does not know of a change could not work with one that does. What is only added (a
 * field with a default, a method, an enum value) raises nothing: older peers overlook it.
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

/**
 * Refuses a peer that this code does not understand, and names both versions.
 *
 * A peer that says nothing (`undefined`: clients in other languages, where it is optional) is taken to fit.
 * Throws `VERSION_MISMATCH`; `other` and `own` are how the two are called there, such as `agent-2` and `coordinator`.
 */
export function checkPeer(peer: Peer | undefined, other: string, own: string = 'coordinator'): void {
  if (peer === undefined || understands(ownPeer, peer)) return;
  const outdated = peer.protocol < ownPeer.protocol ? other : own;
  const needs = `speaks protocol ${peer.protocol}, needs ${oldestProtocolNumber}`;
  throw new ShoalError('VERSION_MISMATCH', {
    versions: `${own} ${packageVersion} (protocol ${protocolNumber}), ${other} ${peer.version} (${
      outdated === other
        ? needs
        : `protocol ${peer.protocol}, understands none older than ${peer.oldestProtocol}`
    })`,
    outdated,
  });
}
