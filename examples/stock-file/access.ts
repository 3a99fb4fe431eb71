import { runningIn } from '../../infra/local/running.ts';
import type { Client } from '../../shared/client.ts';
import { accessOf, clientOfPerson } from '../access.ts';
import { DEMO_PASSWORD, HEAD_OFFICE } from '../demo/people.ts';

/** Who speaks, and to which cloud. */
export const ACCESS_OPTIONS = {
  running: { type: 'string', default: process.env.IEUM_DATA ?? '.ieum/data' },
  user: { type: 'string', default: HEAD_OFFICE },
  password: { type: 'string', default: process.env.IEUM_PASSWORD ?? DEMO_PASSWORD },
} as const;

export const ACCESS_USAGE = `  --running DIR     data directory of the running cloud (default ${ACCESS_OPTIONS.running.default})
  --user NAME       who may do that (default ${HEAD_OFFICE}); the password is in IEUM_PASSWORD, or given by --password`;

/** A client of the cloud that runs on a data directory. */
export const clientOf = ({ running: dataDir, user, password }: Record<keyof typeof ACCESS_OPTIONS, string>): Client => {
  const running = runningIn(dataDir);
  if (running === undefined) throw new Error(`no cloud runs on ${dataDir}; npm start starts one`);
  return clientOfPerson(accessOf({ ...running, template: running }), user, password);
};
