import { ShoalError } from '@shoal/errors';
import { checkPeer, HostInfo, type Join, limits, Peer } from '@shoal/protocol';
import { checkLabels } from '../label-check.ts';

/** What an agent may have, as the operator has set it. */
export interface JoinBounds {
  readonly maxAgentSlots: number;
  readonly maxLabels: number;
}

/** Looks at what an agent says of itself when it joins. Throws `VERSION_MISMATCH`, or `REQUEST_INVALID` with the field. */
export function checkJoin(join: Join, { maxAgentSlots, maxLabels }: JoinBounds): void {
  const refuse = (field: string, reason: string, limitName?: string): never => {
    throw new ShoalError('REQUEST_INVALID', { field, reason, limitName });
  };
  checkPeer(join.agent, join.agentName || 'the agent');
  const most = limits.nameChars.default;
  if (!/^[\w.:-]+$/.test(join.agentName) || join.agentName.length > most) {
    refuse(
      'agent_name',
      `must be 1 to ${most} letters, digits, ".", ":", "-" or "_"`,
      join.agentName.length > most ? 'nameChars' : undefined,
    );
  }
  if (join.instance === '') refuse('instance', 'is missing');
  checkWords('host', HostInfo.encode(join.host ?? HostInfo.create()).finish().byteLength);
  checkWords('agent', Peer.encode(join.agent ?? Peer.create()).finish().byteLength);
  if (join.slots < 1) refuse('slots', 'must be at least 1');
  checkSlots(join.slots, maxAgentSlots);
  checkLabels('labels', join.labels, maxLabels);
}

/** It is shown with every list of agents. */
function checkWords(field: string, bytes: number): void {
  const most = limits.hostBytes.default;
  if (bytes <= most) return;
  throw new ShoalError('REQUEST_INVALID', {
    field,
    reason: `has ${bytes} bytes, and may have ${most}`,
    limitName: 'hostBytes',
  });
}

/** Throws `REQUEST_INVALID` for more than `most`. */
export function checkSlots(slots: number, most: number): void {
  if (slots <= most) return;
  throw new ShoalError('REQUEST_INVALID', {
    field: 'slots',
    reason: `are ${slots}, and may be ${most} (shoal coordinator --max-agent-slots)`,
    limitName: 'agentSlots',
  });
}
