import type { Peer } from '../peer.ts';
import { pythonPeer } from './python.ts';
import { redisVersion } from './redis-server.ts';

/** Celery: a Redis, which is started for it, and a worker of as many processes. */
export const celery: Peer = pythonPeer('Celery', {
  file: 'celery_workers.py',
  modules: 'celery, redis',
  version: 'celery.__version__',
  install: 'apt-get install celery python3-redis',
  needs: redisVersion,
});
