import { durationText } from '@shoal/errors';
import type { JoinTokenInfo } from '@shoal/protocol';
import { aligned } from './text-table.ts';

/** Tokens as `shoal token ls` shows them. Without any, only the head of the table. */
export function tokenList(tokens: readonly JoinTokenInfo[], nowMs: number): string {
  const rows = tokens.map(({ expiresUnixMs, id, name, role }) => [
    id,
    role,
    name === '' ? '(as it likes)' : name,
    durationText(Math.max(0, expiresUnixMs - nowMs)),
  ]);
  return `${aligned([['TOKEN', 'ROLE', 'NAME', 'EXPIRES IN'], ...rows]).join('\n')}\n`;
}
