import { Pool } from 'shoal';
import { describe } from 'vitest';
import { openOnLoopback } from './loopback-cluster.ts';
import { propertyCases } from './property.cases.ts';

describe('local pool', () => propertyCases(async (options) => new Pool(options), { runs: 12 }));
describe('cluster', () => propertyCases(openOnLoopback, { runs: 8 }));
