import { join, resolve } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { accessOf } from '../../examples/access.ts';
import { loadDemo } from '../../examples/demo/load.ts';
import { CUSTOMERS, DEMO_PASSWORD } from '../../examples/demo/people.ts';
import { playDemo } from '../../examples/demo/play.ts';
import { endWithProcess, type LocalCloud, startCloud } from './cloud.ts';
import { announce } from './running.ts';
import { ASSEMBLY, synthesize } from './synth.ts';

/** `npm start`: the whole system on this machine, from the templates that are deployed. */

const USAGE = `npm start -- [options]
  --port N     of the HTTP API (default 4000, or IEUM_PORT); AWS services answer on N + 1; 0 takes free ports
  --data DIR   where everything is kept (default .ieum/data, or IEUM_DATA)
  --no-demo    load the demo chain, but do not play its orders
  --empty      do not even load the demo chain
  --help       this text`;

interface Options {
  port: number;
  dataDir: string;
  demo: boolean;
  load: boolean;
}

const portFrom = (text: string): number => {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_534) throw new Error(`--port ${text} is not a port number`);
  return port;
};

const readOptions = (): Options | undefined => {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: process.env.IEUM_PORT ?? '4000' },
      data: { type: 'string', default: process.env.IEUM_DATA ?? join('.ieum', 'data') },
      'no-demo': { type: 'boolean', default: false },
      empty: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const load = !values.empty;
  return { port: portFrom(values.port), dataDir: resolve(values.data), demo: load && !values['no-demo'], load };
};

const say = (text: string): void => console.log(text);

const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
  const startedMs = performance.now();
  const result = await work();
  say(`${styleText('green', '✓')} ${what} ${styleText('dim', `${Math.round(performance.now() - startedMs)} ms`)}`);
  return result;
};

/** What somebody needs who wants to go on from here. */
const invitation = (cloud: LocalCloud): string => {
  const [customer] = CUSTOMERS;
  const signIn = JSON.stringify({
    AuthFlow: 'USER_PASSWORD_AUTH',
    ClientId: accessOf(cloud).screensClientId,
    AuthParameters: { USERNAME: customer!.username, PASSWORD: DEMO_PASSWORD },
  });
  return `
${styleText('bold', 'Ieum is ready.')}  Ctrl-C ends it; what is unfinished goes on at the next start.
  API          ${cloud.url}   (${cloud.url}/health, ${cloud.url}/openapi.json)
  AWS services ${cloud.awsUrl}   (EventBridge, Step Functions, SQS, Cognito)
  DynamoDB     ${cloud.dynamodbEndpoint}

Try it:
  curl -s ${cloud.url}/v1/availability/TEE-BLK-M
  curl -s ${cloud.awsUrl} -H 'x-amz-target: AWSCognitoIdentityProviderService.InitiateAuth' -d '${signIn}'
`;
};

const start = async ({ port, dataDir, demo, load }: Options): Promise<void> => {
  await timed('stacks synthesized', synthesize);
  const cloud = await timed('local cloud booted from the templates', () =>
    startCloud({ assemblyDir: ASSEMBLY, dataDir, port, awsPort: port === 0 ? 0 : port + 1 }),
  );
  const withdraw = announce(dataDir, cloud);
  endWithProcess({
    close: async () => {
      withdraw();
      await cloud.close();
    },
  });
  const access = accessOf(cloud);
  if (load) await timed('demo chain is there', () => loadDemo(access));
  if (demo) await playDemo({ access, out: process.stdout });
  say(invitation(cloud));
};

try {
  const options = readOptions();
  if (options === undefined) say(USAGE);
  else await start(options);
} catch (error) {
  console.error(`${styleText('red', 'Ieum could not start:')} ${(error as Error).message}`);
  process.exit(1);
}
