#!/usr/bin/env node
import { run } from '@shoal/cli';

process.exitCode = await run(process.argv);
