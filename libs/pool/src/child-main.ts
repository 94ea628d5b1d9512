/** What a spawned child runs: it is a child from its first moment. */
import { runChild } from './child/child-program.ts';
import { closeLeftFiles } from './child/left-files.ts';
import { hideYoungHeap } from './child/young-heap.ts';

closeLeftFiles();
hideYoungHeap();
runChild();
