import { chapters } from './chapters.ts';
import { openOnLoopback } from './loopback-cluster.ts';
import { hold } from './specification.ts';

hold('cluster', chapters, openOnLoopback);
