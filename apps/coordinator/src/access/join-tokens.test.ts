import { describe, expect, test } from 'vitest';
import { triedLimit } from '../../../../test/limit-edges.ts';
import { JoinTokens } from './join-tokens.ts';

const grant = { name: undefined } as const;
const quarterHourMs = 900_000;
const refusedFor = (reason: string): object =>
  expect.objectContaining({ code: 'UNAUTHENTICATED', message: expect.stringContaining(reason) });

test('a token is exchanged once', () => {
  const tokens = new JoinTokens(3);
  tokens.add('a', 'id-a', grant, quarterHourMs, 0);
  expect(tokens.take('a', 1)).toEqual({ grant });
  expect(() => tokens.take('a', 2)).toThrow(refusedFor('was used before'));
});

test('a token is good for its time and no longer', () => {
  const tokens = new JoinTokens(3);
  tokens.add('a', 'id-a', grant, quarterHourMs, 0);
  tokens.add('b', 'id-b', grant, quarterHourMs, 0);
  expect(tokens.take('a', quarterHourMs - 1)).toEqual({ grant });
  expect(() => tokens.take('b', quarterHourMs)).toThrow(refusedFor('has expired'));
});

test('a token that nobody made is unknown', () => {
  expect(() => new JoinTokens(3).take('a', 0)).toThrow(refusedFor('is unknown here'));
});

test('a token that was given back can be used again, within its time', () => {
  const tokens = new JoinTokens(3);
  tokens.add('a', 'id-a', grant, quarterHourMs, 0);
  tokens.take('a', 1);
  tokens.giveBack('a');
  expect(tokens.take('a', 2)).toEqual({ grant });
  tokens.giveBack('a');
  expect(() => tokens.take('a', quarterHourMs)).toThrow(refusedFor('has expired'));
});

test('so many are kept; one more is refused by an error that names the option', () => {
  const tokens = new JoinTokens(3);
  for (let at = 0; at < 3; at += 1) {
    tokens.add(`token-${at}`, `id-${at}`, grant, quarterHourMs, 0);
    triedLimit('joinTokens', tokens.list(0).length, 3);
  }
  expect(() => tokens.add('more', 'id-more', grant, quarterHourMs, 1)).toThrow(
    expect.objectContaining({ code: 'LIMIT_REACHED', message: expect.stringContaining('--max-join-tokens') }),
  );
  expect(tokens.list(1)).toHaveLength(3);
  triedLimit('joinTokens', tokens.list(1).length + 1, 3);
});

test('one that expired is told so for an hour, and is unknown then', () => {
  const tokens = new JoinTokens(3);
  tokens.add('a', 'id-a', grant, quarterHourMs, 0);
  const later = quarterHourMs + 3_600_000;
  tokens.add('b', 'id-b', grant, quarterHourMs, later - 1);
  expect(() => tokens.take('a', later - 1)).toThrow(refusedFor('has expired'));
  tokens.add('c', 'id-c', grant, quarterHourMs, later);
  expect(() => tokens.take('a', later)).toThrow(refusedFor('is unknown here'));
});

test.each([
  [
    'was used',
    (tokens: JoinTokens) => {
      tokens.take('b', 1);
      tokens.exchanged('b', { key: 'key-of-bob', name: 'bob', certificateChain: 'chain' });
    },
    2,
  ],
  ['was taken back', (tokens: JoinTokens) => tokens.revoke('id-b', 1), 2],
  ['has expired', () => {}, 500],
])('one that %s makes room for another, and those that can be used stay', (_, spend, atMs) => {
  const tokens = new JoinTokens(3);
  tokens.add('a', 'id-a', grant, quarterHourMs, 0);
  tokens.add('b', 'id-b', grant, 500, 0);
  tokens.add('c', 'id-c', grant, quarterHourMs, 0);
  spend(tokens);
  tokens.add('more', 'id-more', grant, quarterHourMs, atMs);
  expect(tokens.list(atMs).map(({ id }) => id)).toEqual(['id-a', 'id-c', 'id-more']);
  expect(() => tokens.take('b', atMs)).toThrow(refusedFor('is unknown here'));
});

test('one whose exchange is under way keeps its place, for it may be given back', () => {
  const tokens = new JoinTokens(1);
  tokens.add('a', 'id-a', grant, quarterHourMs, 0);
  tokens.take('a', 1);
  expect(() => tokens.add('more', 'id-more', grant, quarterHourMs, 2)).toThrow(
    expect.objectContaining({ code: 'LIMIT_REACHED' }),
  );
  tokens.giveBack('a');
  expect(tokens.take('a', 3)).toEqual({ grant });
});

test('those that can be used are listed, the one that expires first at the top', () => {
  const tokens = new JoinTokens(9);
  tokens.add('a', 'id-a', { name: 'ann' }, 900, 0);
  tokens.add('b', 'id-b', grant, 500, 0);
  tokens.add('c', 'id-c', grant, 100, 0);
  tokens.add('d', 'id-d', grant, 900, 0);
  tokens.take('d', 1);
  expect(tokens.list(100)).toEqual([
    { id: 'id-b', name: undefined, expiresAtMs: 500 },
    { id: 'id-a', name: 'ann', expiresAtMs: 900 },
  ]);
});

test('one that is taken back opens nothing, not even where its exchange was under way', () => {
  const tokens = new JoinTokens(3);
  tokens.add('a', 'id-a', grant, quarterHourMs, 0);
  tokens.take('a', 1);
  tokens.giveBack('a');
  expect(tokens.revoke('id-a', 2)).toMatchObject({ id: 'id-a' });
  tokens.giveBack('a');
  expect(() => tokens.take('a', 3)).toThrow(refusedFor('was taken back'));
  expect(tokens.list(3)).toEqual([]);
});

test.each(['used', 'expired', 'unknown'])('one that is %s cannot be taken back, and that is said', (why) => {
  const tokens = new JoinTokens(3);
  if (why !== 'unknown') tokens.add('a', 'id-a', grant, quarterHourMs, 0);
  if (why === 'used') tokens.take('a', 1);
  expect(() => tokens.revoke('id-a', why === 'expired' ? quarterHourMs : 1)).toThrow(
    expect.objectContaining({ code: 'TOKEN_NOT_FOUND', message: expect.stringContaining('id-a') }),
  );
});

describe('a token that was exchanged for a certificate', () => {
  const exchange = { key: 'key-of-ann', name: 'ann', certificateChain: 'chain' };
  const exchanged = (): JoinTokens => {
    const tokens = new JoinTokens(3);
    tokens.add('a', 'id-a', grant, quarterHourMs, 0);
    tokens.take('a', 1, { key: 'key-of-ann', name: '' });
    tokens.exchanged('a', exchange);
    return tokens;
  };

  test('answers the same to the key that it was exchanged for, within its time: the answer may have been lost', () => {
    const tokens = exchanged();
    expect(tokens.take('a', 2, { key: 'key-of-ann', name: '' })).toEqual({ grant, exchange });
    expect(tokens.take('a', quarterHourMs - 1, { key: 'key-of-ann', name: '' })).toEqual({ grant, exchange });
    expect(() => tokens.take('a', quarterHourMs, { key: 'key-of-ann', name: '' })).toThrow(
      refusedFor('was used before'),
    );
  });

  test.each([
    ['for another key', { key: 'key-of-bob', name: 'ann' }],
    ['for whoever shows no key', undefined],
  ])('is spent %s', (_, asked) => {
    expect(() => exchanged().take('a', 2, asked)).toThrow(refusedFor('was used before'));
  });

  test('says to the key that it was exchanged for under which name that was', () => {
    expect(() => exchanged().take('a', 2, { key: 'key-of-ann', name: 'bob' })).toThrow(
      expect.objectContaining({
        code: 'REQUEST_INVALID',
        message: expect.stringMatching(
          /name: is bob, but this machine has joined as ann .*--name ann; .*--tls-dir/,
        ),
      }),
    );
  });

  test('is not listed, and cannot be given back', () => {
    const tokens = exchanged();
    tokens.giveBack('a');
    expect(tokens.list(2)).toEqual([]);
    expect(() => tokens.take('a', 2, { key: 'key-of-bob', name: '' })).toThrow(refusedFor('was used before'));
  });

  test('is spent for everybody while its exchange is under way', () => {
    const tokens = new JoinTokens(3);
    tokens.add('a', 'id-a', grant, quarterHourMs, 0);
    tokens.take('a', 1, { key: 'key-of-ann', name: '' });
    expect(() => tokens.take('a', 1, { key: 'key-of-ann', name: '' })).toThrow(refusedFor('was used before'));
  });
});
