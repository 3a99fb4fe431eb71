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
  /** Of the HTTP API of a cloud that runs already. */
  url: string;
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

/** The cloud that runs at `url`, or one of our own on a free port for as long as it is open. */
export const openDeployment = async ({ url, runningDir, ownDir }: Where): Promise<Deployment> => {
  await synthesize();
  const running = [runningDir, ownDir]
    .map((dataDir) => ({ dataDir, cloud: runningIn(dataDir) }))
    .find(({ cloud }) => cloud?.url === url);
  if (running?.cloud !== undefined) {
    const { dataDir, cloud } = running;
    return {
      access: accessOf({ ...cloud, template: cloud }),
      dataDir,
      reconcile: () => reconcileAt(cloud.dynamodbEndpoint),
      close: async () => {},
    };
  }
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

export const DEFAULT_RUNNING_DIR = join('.ieum', 'data');
export const DEFAULT_OWN_DIR = join('.ieum', 'replay');
