import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalCloud } from './cloud.ts';

/** What a running local cloud tells other processes of this machine about itself. */
export interface Running {
  /** Of the HTTP API. */
  url: string;
  /** Of the AWS services, Cognito among them. */
  awsUrl: string;
  dynamodbEndpoint: string;
  /** Outputs of the stacks, as CloudFormation would tell them after a deployment. */
  outputs: Record<string, string>;
  pid: number;
}

const fileIn = (dataDir: string): string => join(dataDir, 'running.json');

/** Tells that a cloud runs on this data directory. Returns what takes it back. */
export const announce = (dataDir: string, cloud: LocalCloud): (() => void) => {
  const { url, awsUrl, dynamodbEndpoint, template } = cloud;
  const running: Running = { url, awsUrl, dynamodbEndpoint, outputs: template.outputs, pid: process.pid };
  writeFileSync(fileIn(dataDir), `${JSON.stringify(running, null, 2)}\n`);
  return () => rmSync(fileIn(dataDir), { force: true });
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** The cloud that runs on a data directory; undefined where none does. One that was killed told nobody that it ended. */
export const runningIn = (dataDir: string): Running | undefined => {
  let text: string;
  try {
    text = readFileSync(fileIn(dataDir), 'utf8');
  } catch {
    return undefined;
  }
  const running = JSON.parse(text) as Running;
  return isAlive(running.pid) ? running : undefined;
};
