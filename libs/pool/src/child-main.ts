/** What a spawned child runs: it is a child from its first moment. */
import { runChild } from './child/child-program.ts';
import { closeLeftFiles } from './child/left-files.ts';

closeLeftFiles();
runChild();
