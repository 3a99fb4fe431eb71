import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { endWithProcess, startCloud } from '../../infra/local/cloud.ts';
import { announce, runningIn } from '../../infra/local/running.ts';
import { ASSEMBLY, synthesize } from '../../infra/local/synth.ts';
import { deploymentOf, loadTemplate } from '../../infra/local/template.ts';
import { clientOf, tableNamesOf } from '../../infra/reconcile/local-tables.ts';
import { type Report, reconcileUnderLoad } from '../../infra/reconcile.ts';
import { accessOf, type CloudAccess } from '../access.ts';

/** Where the replay runs. */
export interface Deployment {
  access: CloudAccess;
  /** Where the replay's journal is kept, beside the data that it belongs to. */
  dataDir: string;
  reconcile(): Promise<Report>;
  close(): Promise<void>;
}

export interface Where {
  /** Of the HTTP API of a cloud that runs already; it may be missing only if it is not named. */
  url: string | undefined;
  /** Data directory of that cloud. */
  runningDir: string;
  /** Data directory of a cloud of our own, if none runs there. */
  ownDir: string;
}

const reconcileAt = async (endpoint: string): Promise<Report> => {
  const place = deploymentOf(ASSEMBLY);
  const client = clientOf(endpoint, place.region);
  try {
    return await reconcileUnderLoad(client, tableNamesOf(loadTemplate(ASSEMBLY, place)));
  } finally {
    client.destroy();
  }
};

/**
 * The cloud that runs at `url`, or, unless that was named, one of our own on a free port for as long as it is open.
 *
 * @throws Error where no cloud of these data directories runs at the `url` that was named
 */
export const openDeployment = async ({ url, runningDir, ownDir }: Where): Promise<Deployment> => {
  await synthesize();
  const running = [runningDir, ownDir]
    .map((dataDir) => ({ dataDir, cloud: runningIn(dataDir) }))
    .find(({ cloud }) => cloud?.url === (url ?? DEFAULT_URL));
  if (running?.cloud !== undefined) {
    const { dataDir, cloud } = running;
    return {
      access: accessOf({ ...cloud, template: cloud }),
      dataDir,
      reconcile: () => reconcileAt(cloud.dynamodbEndpoint),
      close: async () => {},
    };
  }
  if (url !== undefined) throw new Error(`no local cloud of ${runningDir} or ${ownDir} runs at ${url}`);
  mkdirSync(ownDir, { recursive: true });
  const cloud = await startCloud({ assemblyDir: ASSEMBLY, dataDir: ownDir, port: 0 });
  const withdraw = announce(ownDir, cloud);
  const close = async (): Promise<void> => {
    withdraw();
    await cloud.close();
  };
  endWithProcess({ close });
  return {
    access: accessOf(cloud),
    dataDir: ownDir,
    reconcile: async () => {
      await cloud.whenIdle();
      return reconcileAt(cloud.dynamodbEndpoint);
    },
    close,
  };
};

/** Where `npm start` answers, and keeps its data. */
export const DEFAULT_URL = `http://127.0.0.1:${process.env.IEUM_PORT ?? '4000'}`;
/** Where `npm start` keeps it, told by the same variables. */
export const DEFAULT_RUNNING_DIR = process.env.IEUM_DATA ?? join('.ieum', 'data');
export const DEFAULT_OWN_DIR = join('.ieum', 'replay');
