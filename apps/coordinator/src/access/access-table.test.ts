import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Metadata, type ServiceDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { bearerLine, CertificateAuthority, newSecret, type Role, roles, TlsFolder } from '@shoal/credentials';
import { ShoalError } from '@shoal/errors';
import {
  AccessServiceService,
  AgentServiceService,
  BundleServiceService,
  ClusterServiceService,
  clientOptions,
  DialCredentials,
  type DialMaterial,
  HealthService,
  JobServiceService,
  ReflectionV1AlphaService,
  ReflectionV1Service,
  ServerReflectionClient,
  type ServerReflectionResponse,
} from '@shoal/protocol';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { accessTable, type Callers, checkAccess, unlisted } from './access-table.ts';

const definitions: readonly ServiceDefinition[] = [
  JobServiceService,
  BundleServiceService,
  AgentServiceService,
  ClusterServiceService,
  AccessServiceService,
  HealthService,
  ReflectionV1Service,
  ReflectionV1AlphaService,
];
const methods = definitions.flatMap((definition) => Object.values(definition));

/** What comes of a call with an empty message: a refusal, or anything else. */
type Outcome = 'UNAUTHENTICATED' | 'PERMISSION_DENIED' | 'let in';
/** Who calls; `revoked` was an admin, and shows a token that opens everything beside its certificate. */
type Caller = Role | 'none' | 'revoked';
/** A stream that was let in may last for ever. */
const lookMs = 3_000;

describe('every method of every service', () => {
  const secret = newSecret();
  let folder: TlsFolder;
  let coordinator: Coordinator;
  const clients = new Map<Caller, Client>();

  beforeAll(async () => {
    folder = new TlsFolder(await mkdtemp(join(tmpdir(), 'shoal-access-')));
    const authority = await CertificateAuthority.create();
    const own = await authority.issueCoordinator(['127.0.0.1']);
    await folder.write('authority', authority.cert);
    await folder.write('authorityKey', authority.key);
    await folder.write('coordinator', own.cert);
    await folder.write('coordinatorKey', own.key);
    const revoked = await authority.issueIdentity({ name: 'revoked', role: 'admin' });
    await folder.revoked.add([{ serial: new X509Certificate(revoked.cert).serialNumber }]);
    const log = pino({ level: 'silent' });
    const tls = { tlsDir: folder.path, tokens: bearerLine({ secret, role: undefined }) };
    coordinator = await startCoordinator({ listen: '127.0.0.1:0', ...tls, log });
    const dial = (material: DialMaterial, token?: string): Client =>
      new Client(coordinator.address, new DialCredentials({ tls: () => material, token }), clientOptions);
    for (const role of roles) {
      const identity = await authority.issueIdentity({ name: `some-${role}`, role });
      clients.set(role, dial({ ca: authority.cert, ...identity }));
    }
    clients.set('none', dial({ ca: authority.cert }));
    clients.set('revoked', dial({ ca: authority.cert, ...revoked }, secret));
  });
  afterAll(async () => {
    for (const client of clients.values()) client.close();
    await coordinator.close({ drain: false });
    await rm(folder.path, { recursive: true, force: true });
  });

  function callAs(caller: Caller, path: string): Promise<Outcome> {
    const asIs = (bytes: Buffer): Buffer => bytes;
    const deadline = Date.now() + lookMs;
    // On the wire all four kinds of calls look alike.
    const call = clients.get(caller)?.makeBidiStreamRequest(path, asIs, asIs, new Metadata(), { deadline });
    return new Promise((resolve) => {
      call?.on('data', () => {
        resolve('let in');
        call.cancel();
      });
      call?.on('error', ({ code, details }: ServiceError) => {
        // JoinCluster lets anybody in, and then looks at the token in the message.
        if (details.includes('this token to join with is unknown')) resolve('let in');
        else if (code === status.UNAUTHENTICATED) resolve('UNAUTHENTICATED');
        else resolve(code === status.PERMISSION_DENIED ? 'PERMISSION_DENIED' : 'let in');
      });
      call?.on('end', () => resolve('let in'));
      call?.write(Buffer.alloc(0));
      call?.end();
    });
  }

  const expected = (caller: Caller, callers: Callers | undefined): Outcome => {
    if (callers === 'anyone') return 'let in';
    if (caller === 'none' || caller === 'revoked') return 'UNAUTHENTICATED';
    return callers?.includes(caller) ? 'let in' : 'PERMISSION_DENIED';
  };

  test.each(['none', 'revoked', ...roles] as const)(
    'is open to %s as the table says, and no further',
    async (caller) => {
      const outcomes = methods.map(async ({ path }) => [path, await callAs(caller, path)] as const);
      const wanted = methods.map(({ path }) => [path, expected(caller, accessTable[path])] as const);
      expect(Object.fromEntries(await Promise.all(outcomes))).toEqual(Object.fromEntries(wanted));
    },
  );

  test('is in the table, and the table has no others: what the server itself lists is the measure', async () => {
    const admin = clients.get('admin');
    const client = new ServerReflectionClient(coordinator.address, new DialCredentials(), {
      ...clientOptions,
      ...(admin === undefined ? {} : { channelOverride: admin.getChannel() }),
    });
    const services = await new Promise<string[]>((resolve, reject) => {
      const call = client.serverReflectionInfo();
      call.on('error', reject);
      call.on('data', ({ messageResponse }: ServerReflectionResponse) => {
        if (messageResponse?.$case !== 'listServicesResponse') return;
        resolve(messageResponse.value.service.map(({ name }) => name));
        call.cancel();
      });
      call.write({ host: '', messageRequest: { $case: 'listServices', value: '' } });
    });
    const serviceOf = (path: string): string => path.split('/')[1] ?? '';
    expect(new Set(Object.keys(accessTable).map(serviceOf))).toEqual(new Set(services));
    expect(Object.keys(accessTable).toSorted()).toEqual(methods.map(({ path }) => path).toSorted());
  });
});

test('a method that is not in the table is forgotten, and nobody may call it', () => {
  const path = '/shoal.v1.JobService/Explode';
  expect(unlisted(['/shoal.v1.JobService/Map', path, 'toString'])).toEqual([path, 'toString']);
  const admin = { id: 'admin a', name: 'a', roles: new Set(roles), words: 'admin a' };
  expect(() => checkAccess(path, admin)).toThrow(
    expect.objectContaining({
      code: 'PERMISSION_DENIED',
      message: expect.stringContaining('admin a may not do this: JobService.Explode is for nobody'),
    }),
  );
});

test('whoever is not known is told why', () => {
  const why = new ShoalError('UNAUTHENTICATED', { reason: 'its certificate has expired' });
  expect(() => checkAccess('/shoal.v1.JobService/Map', why)).toThrow(why);
  expect(() => checkAccess('/grpc.health.v1.Health/Check', why)).not.toThrow();
});
