import { ShoalError } from '@shoal/errors';
import { checkOpenings, type Isolation, type IsolationLevel, openingVariable, stricter } from '@shoal/pool';
import { Isolation as WireIsolation } from '@shoal/protocol';

/** How an agent keeps children apart, and what that takes there. */
export interface AgentIsolation {
  readonly level: IsolationLevel;
  /** Users for level `user` that nothing else on this machine uses. */
  readonly firstUid: number;
  readonly lastUid: number;
  /** Nobody named them: where another agent has them, those after them do. */
  readonly mayMove?: boolean;
  /** For level `container`, and so are those below. */
  readonly image: string;
  /** Memory of a child's container, at most: less where a job's or the agent's `maxRssBytes` says so. */
  readonly memoryBytes: number;
  /** CPUs of a child's container. */
  readonly cpus: number;
}

/** What else a child's isolation is made of. */
export interface IsolationSurroundings {
  /** The folder of the users' code. */
  readonly bundleDir: string;
  readonly memoryBytes: number | undefined;
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const levels: Readonly<Record<WireIsolation, IsolationLevel | undefined>> = {
  [WireIsolation.UNSPECIFIED]: 'process',
  [WireIsolation.PROCESS]: 'process',
  [WireIsolation.PERMISSION]: 'permission',
  [WireIsolation.USER]: 'user',
  [WireIsolation.CONTAINER]: 'container',
};

/** The levels as they are told to a coordinator. */
export const wireIsolations: Readonly<Record<IsolationLevel, WireIsolation>> = {
  process: WireIsolation.PROCESS,
  permission: WireIsolation.PERMISSION,
  user: WireIsolation.USER,
  container: WireIsolation.CONTAINER,
};

/** The level of a job's children: the stricter one of what it asks for and what its agent does anyway. */
export function isolationLevel(asked: WireIsolation, own: AgentIsolation): IsolationLevel {
  const level = levels[asked];
  if (level === undefined) {
    throw unavailable(String(asked), 'this agent does not know it', 'Upgrade the agent.');
  }
  const effective = stricter(level, own.level);
  // Permissions take nothing but Node. For the others somebody has to have looked whether they can be had here.
  if (effective !== own.level && effective !== 'permission') {
    const reason = `this agent was started with "${own.level}"`;
    throw unavailable(effective, reason, `Start agents with it: shoal agent --isolation ${effective}.`);
  }
  return effective;
}

/** How a child is kept apart. Throws `ISOLATION_NOT_AVAILABLE` where its options would undo it. */
export function childIsolation(
  level: IsolationLevel,
  own: AgentIsolation,
  { bundleDir, env, execArgv, memoryBytes }: IsolationSurroundings,
): Isolation | undefined {
  if (level === 'process') return undefined;
  checkOpenings(level, 'on this agent', execArgv, env);
  const variable = openingVariable(env);
  if (variable !== undefined) {
    throw unavailable(level, `the variable ${variable} could open what it closes`, 'Leave it out of env.');
  }
  switch (level) {
    case 'permission':
      return { level, readable: [bundleDir] };
    case 'user':
      return { level, firstUid: own.firstUid, lastUid: own.lastUid };
    case 'container':
      return {
        level,
        image: own.image,
        readable: [bundleDir],
        memoryBytes: Math.min(own.memoryBytes, memoryBytes ?? Number.POSITIVE_INFINITY),
        cpus: own.cpus,
      };
  }
}

/** What an agent says of a level that is not to be had there. */
export function unavailable(level: string, reason: string, hint: string): ShoalError {
  return new ShoalError('ISOLATION_NOT_AVAILABLE', { level, where: 'on this agent', reason, hint });
}
