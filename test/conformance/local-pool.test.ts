import { Pool } from 'shoal';
import { failureCases } from './failures.cases.ts';
import { lifecycleCases } from './lifecycle.cases.ts';
import type { OpenPool } from './pool-under-test.ts';
import { resultCases } from './results.cases.ts';
import { streamCases } from './streams.cases.ts';

const open: OpenPool = async (options) => new Pool(options);

resultCases(open);
failureCases(open);
streamCases(open);
lifecycleCases(open);
