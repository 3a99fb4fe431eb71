import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CAPABILITIES } from '../../functions/capabilities.ts';
import { startEngine } from '../local/engine.ts';
import { openJournal } from '../local/journal.ts';
import { runningIn } from '../local/running.ts';
import { ASSEMBLY, synthesize } from '../local/synth.ts';
import { deploymentOf, loadTemplate, type Template } from '../local/template.ts';

export interface LocalTables {
  client: DynamoDBClient;
  /** Physical names by capability. */
  tableNames: Record<string, string>;
  close(): Promise<void>;
}

const tablesOf = (template: Pick<Template, 'resources'>) => template.resources('AWS::DynamoDB::GlobalTable');

/** Physical table names by capability. A function's own environment says which table is whose. */
export const tableNamesOf = (template: Pick<Template, 'resources'>): Record<string, string> =>
  Object.fromEntries(
    CAPABILITIES.filter(({ table }) => table !== undefined).map(({ name }) => {
      const own = tablesOf(template).find(({ id }) => id.toLowerCase().startsWith(`${name.replaceAll('-', '')}table`));
      if (own === undefined) throw new Error(`the stacks have no table of ${name}`);
      return [name, own.name];
    }),
  );

/** A client of a local engine; it asks for no real credentials. */
export const clientOf = (endpoint: string, region: string): DynamoDBClient =>
  new DynamoDBClient({ endpoint, region, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } });

/**
 * The tables in the data directory of a local cloud: through the engine of the cloud that runs there, or else through
 * an engine of its own for as long as it is open.
 *
 * @throws Error where there are no tables, or the directory is in use by a cloud that did not announce itself
 */
export const openLocalTables = async (dataDir: string): Promise<LocalTables> => {
  await synthesize();
  const place = deploymentOf(ASSEMBLY);
  const template = loadTemplate(ASSEMBLY, place);
  const tableNames = tableNamesOf(template);
  const running = runningIn(dataDir);
  if (running !== undefined) {
    return { client: clientOf(running.dynamodbEndpoint, place.region), tableNames, close: async () => {} };
  }
  if (!existsSync(join(dataDir, 'tables.sqlite'))) {
    throw new Error(`there are no tables in ${dataDir}: start a local cloud first ("npm start"), or name its --data`);
  }
  const journal = openJournal(dataDir);
  const engine = await startEngine({ dataDir, tables: tablesOf(template) });
  const close = async (): Promise<void> => {
    await engine.close();
    journal.close();
  };
  return { client: clientOf(engine.endpoint, place.region), tableNames, close };
};
