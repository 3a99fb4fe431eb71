/** Runs a local cloud in a process of its own, for tests that kill it: `cloud-process.ts <assembly> <data>`. */
import { endWithProcess, startCloud } from '../../infra/local/cloud.ts';

const [, , assemblyDir = '', dataDir = ''] = process.argv;
const cloud = await startCloud({ assemblyDir, dataDir, port: 0 });
endWithProcess(cloud);
console.log(JSON.stringify({ url: cloud.url, dynamodbEndpoint: cloud.dynamodbEndpoint }));
