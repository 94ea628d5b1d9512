import { expect, test } from 'vitest';
import { identityOfSubject } from './role.ts';

test('a subject names who and what its holder is', () => {
  expect(identityOfSubject({ O: 'shoal', OU: 'client', CN: 'laptop' })).toEqual({
    name: 'laptop',
    role: 'client',
  });
});

test.each([
  ['of another organisation', { O: 'acme', OU: 'admin', CN: 'laptop' }],
  ['with an unknown role', { O: 'shoal', OU: 'coordinator', CN: 'coordinator' }],
  ['with two roles', { O: 'shoal', OU: ['viewer', 'admin'], CN: 'laptop' }],
  ['with two names', { O: 'shoal', OU: 'viewer', CN: ['laptop', 'desk'] }],
  ['with a name that would garble a log', { O: 'shoal', OU: 'viewer', CN: 'a b\n' }],
  ['without a name', { O: 'shoal', OU: 'viewer' }],
  ['that is empty', {}],
])('a subject %s names nobody', (_, subject) => {
  expect(identityOfSubject(subject)).toBeUndefined();
});
