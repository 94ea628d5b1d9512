import { expect, test } from 'vitest';
import { startedText } from './dev.ts';

test.each([
  ['127.0.0.1:8300', ['metrics on http://127.0.0.1:8300/metrics']],
  [undefined, []],
])(
  'shoal dev says where the coordinator is and, where there are any, its metrics: %s',
  (httpAddress, lines) => {
    const text = startedText({ address: '127.0.0.1:7300', httpAddress, agents: 2, processes: 1 });
    const head = text.slice(0, text.indexOf('\n\n')).split('\n');
    expect(head).toEqual(['coordinator listening on 127.0.0.1:7300, 2 agents x 1 process', ...lines]);
  },
);
