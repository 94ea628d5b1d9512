/**
 * Keeps secrets out of logs, whoever logs an object too many some day: nothing that we log today has one.
 *
 * Fields by their names, wherever they come in a line up to three levels deep; and what is a secret by its looks, in any
 * text. Items and results are in no field that is logged; should one be, these names hide it.
 */
const fields = [
  'token',
  'tokens',
  'secret',
  'authorization',
  'key',
  'env',
  'items',
  'item',
  'payload',
  'results',
];

const hidden = '[hidden]';

/** What is a secret by its looks: tokens to join with, what a header shows, private keys (their lines joined by \n). */
const looks: readonly (readonly [RegExp, string])[] = [
  [/shoal-join\.[\w.-]+/g, `shoal-join.${hidden}`],
  [/\b(Bearer) +[\w.~+/=-]+/gi, `$1 ${hidden}`],
  [/-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?-----END \1PRIVATE KEY-----/gs, hidden],
];

/** The text with secrets that show by their looks hidden. */
function withoutSecrets(text: string): string {
  return looks.reduce((clean, [look, instead]) => clean.replace(look, instead), text);
}

/** A count under such a name (`items: 12` that an agent had) is no secret, and what the line is about. */
const censor = (value: unknown): unknown =>
  typeof value === 'number' || typeof value === 'boolean' ? value : hidden;

/** Options for pino that do this to every line. */
export const logRedaction: {
  readonly redact: { readonly paths: string[]; readonly censor: (value: unknown) => unknown };
  readonly hooks: { readonly streamWrite: (line: string) => string };
} = {
  redact: { paths: fields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor },
  hooks: { streamWrite: withoutSecrets },
};
