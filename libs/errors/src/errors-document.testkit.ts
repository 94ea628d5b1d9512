import { type CatalogueRow, catalogue } from './catalogue.ts';

/** The text of docs/errors.md. */
export function errorsDocument(): string {
  const sections = Object.entries(catalogue).map(([code, row]) => section(code, row));
  return [
    '# Errors',
    '',
    'Every error of Shoal has a stable `code`: match on that, never on the message, whose wording may improve.',
    'What a message is made of is also there as fields (`error.facts`). Over gRPC an error travels as a',
    '`google.rpc.Status` with one `ErrorInfo`: `reason` is the code, `metadata` holds the facts.',
    '',
    'This file is made from `libs/errors/src/catalogue.ts`: after a change there, run `npx vitest run libs/errors -u`.',
    '',
    ...sections,
  ].join('\n');
}

function section(code: string, row: CatalogueRow): string {
  const facts = [
    ...new Set([...`${row.message}${row.remedy}`.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)),
  ];
  return [
    `## ${code}`,
    '',
    `> ${placeholders(row.message)}`,
    '',
    // A remedy that is one fact says nothing before the fact is known.
    ...(/^(\{\w+\})?$/.test(row.remedy) ? [] : [`What to do: ${placeholders(row.remedy)}`, '']),
    `Trying again can help: ${row.retryable ? 'yes' : 'no'}. gRPC status: ${row.grpcStatus}.` +
      (facts.length === 0 ? '' : ` Facts: ${facts.map((name) => `\`${name}\``).join(', ')}.`),
    '',
  ].join('\n');
}

const placeholders = (template: string): string =>
  template.replace(/\{\w+:[^|}]*\|([^}]*)\}/g, '$1').replace(/\{(\w+)\}/g, '‹$1›');
