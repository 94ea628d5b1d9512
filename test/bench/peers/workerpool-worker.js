// A process of workerpool: it offers the tasks by name.
import workerpool from 'workerpool';
import { tasks } from '../tasks.js';

workerpool.worker(tasks);
