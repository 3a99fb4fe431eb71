import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a running local cloud tells other processes of this machine about itself. */
export interface Running {
  /** Of the HTTP API. */
  url: string;
  /** Of the AWS services, Cognito among them. */
  awsUrl: string;
  dynamodbEndpoint: string;
  pid: number;
}

const fileIn = (dataDir: string): string => join(dataDir, 'running.json');

/** Tells that a cloud runs on this data directory. Returns what takes it back. */
export const announce = (dataDir: string, cloud: Omit<Running, 'pid'>): (() => void) => {
  const { url, awsUrl, dynamodbEndpoint } = cloud;
  writeFileSync(fileIn(dataDir), JSON.stringify({ url, awsUrl, dynamodbEndpoint, pid: process.pid }));
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
