import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Used } from '../../infra/local/functions.ts';
import { type Statement, statementsOf } from '../../infra/local/policies.ts';
import { grantedToFunctions, usedByServices } from '../../infra/local/service-grants.ts';
import type { TestCloud } from '../support/cloud.ts';
import type { Journeys, Shop } from './shop.ts';

/** One action on one resource that one function may use. */
type Grant = Used;

/** Logs and traces are written by Lambda itself, in the name of the role. */
const OF_LAMBDA = /^(logs|xray):/;

/** As a person reads it: `ordersapi GetItem on table/…`. */
export const textOf = ({ functionArn, action, resource }: Grant): string =>
  `${functionArn.split(':').at(-1)} ${action} on ${resource.split(':').slice(5).join(':')}`;

/** Everything that the templates grant to functions; what is granted twice is there twice. */
export const granted = ({ cloud }: TestCloud): Grant[] =>
  grantedToFunctions(cloud.template).filter(({ action }) => !OF_LAMBDA.test(action));

/** Everything that was used so far, by functions themselves and by Lambda in their name. */
export const used = ({ cloud }: TestCloud): Grant[] => [...cloud.functions.used(), ...usedByServices(cloud.template)];

/** Permissions by the journey that was the first to use them. */
export class FirstUses {
  readonly journeyOf = new Map<string, string>();

  note({ cloud }: TestCloud, journey: string): void {
    for (const grant of cloud.functions.used()) {
      const text = textOf(grant);
      if (!this.journeyOf.has(text)) this.journeyOf.set(text, journey);
    }
  }
}

/** Functions without which nobody gets anything: each of their permissions is tried. */
const ORDER_PATH = ['carts', 'orders', 'payments', 'fulfilment'];

const nameOf = ({ functionArn }: Grant): string => functionArn.split(':').at(-1)!;

/**
 * The permissions to be tried: all of the order's path and, drawn by the seed, one of every other function. What
 * Lambda reads and sends in a function's name is checked when the cloud starts (service-grants.ts).
 */
export const toBeTried = (world: TestCloud, seed: string): Grant[] => {
  const byFunctions = new Set(world.cloud.functions.used().map(textOf));
  const tried = granted(world).filter((grant) => byFunctions.has(textOf(grant)));
  const isOnPath = (grant: Grant): boolean => ORDER_PATH.some((name) => nameOf(grant).includes(`-${name}`));
  const drawn = (grant: Grant): string =>
    createHash('md5')
      .update(`${seed} ${textOf(grant)}`)
      .digest('hex');
  const others = Map.groupBy(
    tried.filter((grant) => !isOnPath(grant)),
    nameOf,
  );
  const sample = [...others.values()].map((some) => some.reduce((a, b) => (drawn(a) < drawn(b) ? a : b)));
  return [...tried.filter(isOnPath), ...sample];
};

const list = (value: string | string[] | undefined): string[] => [value ?? []].flat();

/** A statement without one action on one resource, everything else as it was. */
const reduced = (statement: Statement, { action, resource }: Grant): Statement[] => {
  const [actions, resources] = [list(statement.Action), list(statement.Resource)];
  if (!actions.includes(action) || !resources.includes(resource)) return [statement];
  const others = resources.filter((one) => one !== resource);
  const parts = [
    { ...statement, Action: actions.filter((one) => one !== action), Resource: resources },
    { ...statement, Action: [action], Resource: others },
  ];
  return parts.filter((part) => part.Action.length > 0 && part.Resource.length > 0);
};

/** Takes one permission from the function's role, for as long as it is not given back by the returned call. */
const take = ({ cloud }: TestCloud, grant: Grant): (() => void) => {
  const { template, functions } = cloud;
  const role = template.byArn(grant.functionArn)!.properties.Role;
  const policies = template
    .resources('AWS::IAM::Policy')
    .filter(({ properties }) => properties.Roles.includes(template.byArn(role)!.name));
  const documents = policies.map(({ properties }) => properties.PolicyDocument as { Statement: Statement[] });
  const before = documents.map(({ Statement }) => Statement);
  for (const document of documents) document.Statement = document.Statement.flatMap((one) => reduced(one, grant));
  const isGranted = statementsOf(template, role).some(
    ({ Action, Resource }) => list(Action).includes(grant.action) && list(Resource).includes(grant.resource),
  );
  if (isGranted) throw new Error(`${textOf(grant)} is still granted`);
  functions.replace(grant.functionArn);
  return () => {
    documents.forEach((document, at) => {
      document.Statement = before[at]!;
    });
    functions.replace(grant.functionArn);
  };
};

/** What a function's log says from now on. */
const logOf = (dataDir: string, functionName: string): (() => string) => {
  const file = join(dataDir, 'logs', `${functionName}.log`);
  const start = existsSync(file) ? statSync(file).size : 0;
  return () => {
    if (!existsSync(file)) return '';
    const { size } = statSync(file);
    if (size < start) return readFileSync(file, 'utf8');
    const text = Buffer.alloc(size - start);
    const descriptor = openSync(file, 'r');
    readSync(descriptor, text, 0, text.length, start);
    closeSync(descriptor);
    return text.toString();
  };
};

const LOOK_EVERY_MS = 10;

/**
 * Plays a journey without one permission, until the function is denied exactly that. Says whether it was; the
 * permission is given back then, and the journey is not finished.
 */
export const isDeniedWithout = async (shop: Shop, grant: Grant, journey: Journeys[string]): Promise<boolean> => {
  const { world } = shop;
  const { functionArn, action, resource } = grant;
  const log = logOf(world.dataDir, functionArn.split(':').at(-1)!);
  const isDenied = (): boolean => log().includes(`is not authorized to perform: ${action} on resource: ${resource}`);
  const abandon = new AbortController();
  const giveBack = take(world, grant);
  let isOver = false;
  // What it set in motion goes on after its own last step.
  const played = journey(shop.until(abandon.signal))
    .then(() => world.cloud.whenIdle())
    .catch(() => undefined)
    .finally(() => {
      isOver = true;
    });
  try {
    while (!isDenied()) {
      if (isOver) return isDenied();
      await setTimeout(LOOK_EVERY_MS);
    }
    return true;
  } finally {
    abandon.abort();
    giveBack();
    await played;
  }
};
