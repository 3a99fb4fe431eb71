import { lately } from '../../shared/lately.ts';
import { nodesOf } from '../network/parts.ts';

/** The network as it stood at most a second ago: a node that closes is asked for one second longer. */
export const knownNetwork = lately(nodesOf);
