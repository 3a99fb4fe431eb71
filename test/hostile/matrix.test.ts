import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CAPABILITIES } from '../../functions/capabilities.ts';
import type { Scope } from '../../shared/auth.ts';
import { SCOPES } from '../../shared/auth.ts';
import type { Operation } from '../../shared/contract.ts';
import type { ProblemName } from '../../shared/problem.ts';
import { type Caller, type CallOptions, channelCaller, customerCaller, staffCaller } from '../support/call.ts';
import { OTHER_ASSOCIATE, OTHER_CHANNEL, STRANGER } from './furnish.ts';
import { notRefused } from './judge.ts';
import { bodyMutants, cursorMutants, fieldMutants, keyMutants, requestOf, strayMutants } from './mutants.ts';
import { type Valid, validRequests } from './valid.ts';
import { openWorld, type World } from './world.ts';

const OPERATIONS: readonly (readonly [name: string, operation: Operation])[] = CAPABILITIES.flatMap(
  ({ name: capability, operations }) =>
    Object.entries(operations).map(([name, operation]) => [`${capability}.${name}`, operation] as const),
);
const OPERATION = new Map(OPERATIONS);

let world: World;
let valid: Record<string, Valid>;

beforeAll(async () => {
  world = await openWorld();
  valid = validRequests(world.known);
});
afterAll(async () => {
  await world?.close();
});

interface Case {
  name: string;
  problem: ProblemName;
  field: string | undefined;
  call: CallOptions;
}

/** Sends every case; each must be refused as it says, with nothing written. Returns how many there were. */
const refuses = async (name: string, cases: readonly Case[]): Promise<number> => {
  const [capability, short] = name.split('.') as [string, string];
  const operation = OPERATION.get(name)!;
  const before = await world.checksum();
  const wrong: string[] = [];
  for (const { name: what, problem, field, call } of cases) {
    const writes = world.writes();
    const bad = notRefused(operation, await world.api[capability]!(short, call), problem, field);
    if (bad !== undefined) wrong.push(`${what}: ${bad}`);
    if (world.writes() !== writes) wrong.push(`${what}: something was written`);
  }
  expect(wrong).toEqual([]);
  expect(await world.checksum()).toBe(before);
  return cases.length;
};

/** The valid inputs of an operation, each with who sends it. */
const validInputs = (name: string): { as: Caller; input: Record<string, unknown> }[] => {
  const { as, input, instead = [] } = valid[name]!;
  return [input, ...instead].map((each) => ({ as, input: each }));
};

test('every operation has a request that is tried in all ways', () => {
  expect(Object.keys(valid).sort()).toEqual([...OPERATION.keys()].sort());
});

describe.each(OPERATIONS)('%s', (name, operation) => {
  test('refuses each field that is missing, mistyped, out of bounds, unknown or meant for harm, and names it', async () => {
    const visited = new Set<string>();
    const unvisited = new Set<string>();
    let tried = 0;
    for (const { as, input } of validInputs(name)) {
      const walked = fieldMutants(operation, input);
      for (const pointer of walked.visited) visited.add(pointer);
      for (const pointer of walked.unvisited) unvisited.add(pointer);
      const strays = [...cursorMutants(operation, input), ...strayMutants(operation, input)];
      const mutants = [...walked.mutants, ...strays];
      tried += await refuses(
        name,
        mutants.map((mutant) => ({ ...mutant, call: { ...mutant.call, as } })),
      );
    }
    expect([...unvisited].filter((pointer) => !visited.has(pointer) && pointer !== '/cursor')).toEqual([]);
    expect(tried).toBeGreaterThanOrEqual(4);
  });

  if (!operation.route.startsWith('GET ')) {
    test('refuses bodies that are too large, too deep or no object, and commands without a proper key', async () => {
      const { as, input } = valid[name]!;
      const mutants = [...bodyMutants(operation, input), ...keyMutants(operation, input)];
      await refuses(
        name,
        mutants.map((mutant) => ({ ...mutant, call: { ...mutant.call, as } })),
      );
    });
  }

  if (operation.access.kind !== 'anyone') {
    test('refuses who did not sign in, and who may do everything but this', async () => {
      const { access } = operation;
      const call = requestOf(operation, valid[name]!.input);
      const needed: readonly Scope[] = access.kind === 'anyone' ? [] : access.anyOf;
      const others = (Object.keys(SCOPES) as Scope[]).filter((scope) => !needed.includes(scope));
      const forbidden: Record<string, Caller> = {
        'a customer with no scope': { ...customerCaller('owner-0001')!, scope: '' },
        'a channel with no scope': { ...channelCaller('channel-one')!, scope: '' },
        'staff with every other scope': staffCaller('*', ...others),
        'a scope that only looks like it': {
          ...customerCaller('owner-0001')!,
          scope: needed.flatMap((scope) => [scope, `ieum/${scope}x`, `other/${scope}`]).join(' '),
        },
        // With the right scope, but not who the operation is for.
        ...(access.kind === 'customer' && { 'staff with the scope of customers': staffCaller('*', 'shop') }),
        ...(access.kind === 'customer' && {
          'a machine with the scope of customers': { ...channelCaller('owner-0001')!, scope: 'ieum/shop' },
        }),
        ...(access.kind === 'node' && {
          'a customer with the scope of staff': {
            ...customerCaller('owner-0001')!,
            scope: needed.map((scope) => `ieum/${scope}`).join(' '),
          },
        }),
      };
      await refuses(name, [
        { name: 'no token', problem: 'unauthenticated', field: undefined, call },
        ...Object.entries(forbidden).map(
          ([who, as]): Case => ({ name: who, problem: 'forbidden', field: undefined, call: { ...call, as } }),
        ),
      ]);
    });
  }
});

/** Fields that say whose something is, and who has none of the owner's. Others are open to all who may ask at all. */
const OWNED: Record<string, readonly Caller[]> = {
  orderId: [STRANGER, OTHER_CHANNEL],
  cartId: [STRANGER],
  addressId: [STRANGER],
  fulfilmentOrderId: [OTHER_ASSOCIATE],
  holdId: [STRANGER, OTHER_CHANNEL],
  discrepancyId: [OTHER_ASSOCIATE],
  tillId: [OTHER_ASSOCIATE],
  'worklist nodeId': [OTHER_ASSOCIATE],
};
const OPEN_TO_ALL_WITH_THE_SCOPE = new Set([
  ...['productId', 'sku', 'nodeId', 'category', 'reference', 'limit', 'cursor'],
  ...['supplyId', 'importId', 'policyId', 'saleId'],
  // Work of a stockroom is asked for at a node, which is owned.
  ...['adviceId', 'deliveryId', 'transferId', 'fromNodeId', 'countId', 'sessionId'],
]);
/** Whoever has their scope may ask for anybody's. */
const OF_ALL = ['orders.anyOrder', 'tills.maintain'];

const ownedFields = (name: string, operation: Operation): string[] => {
  const { access } = operation;
  if (access.kind === 'anyone' || OF_ALL.includes(name)) return [];
  const fields = Object.keys(operation.input.shape);
  const atNode = access.kind === 'node' && fields.includes('nodeId') ? ['worklist nodeId'] : [];
  return [...fields.filter((field) => field in OWNED), ...atNode];
};

const mayAsk = ({ access }: Operation, as: Caller): boolean =>
  access.kind !== 'anyone' && access.anyOf.some((scope) => as!.scope!.split(' ').includes(`ieum/${scope}`));

describe("what is another's looks like what is missing", () => {
  const concerned = OPERATIONS.filter(([name, operation]) => ownedFields(name, operation).length > 0);

  test.each(concerned)('%s', async (name, operation) => {
    const callers = ownedFields(name, operation)
      .flatMap((field) => OWNED[field]!)
      .filter((as) => mayAsk(operation, as))
      .filter((as) => operation.access.kind !== 'customer' || as === STRANGER)
      // Whoever may read all orders may read this one.
      .filter((as) => !(name === 'fulfilment.ofOrder' && as === OTHER_CHANNEL));
    expect(callers.length).toBeGreaterThan(0);
    const call = requestOf(operation, valid[name]!.input);
    await refuses(
      name,
      callers.map((as) => ({
        name: `${as!.sub} asks`,
        problem: 'not-found',
        field: undefined,
        call: { ...call, as },
      })),
    );
  });

  test('and lists hold nothing of it', async () => {
    const secrets = Object.values(world.known).concat('Sejong-daero', 'a@test.example');
    let asked = 0;
    for (const [name, operation] of OPERATIONS) {
      if (operation.access.kind !== 'customer' || !operation.route.startsWith('GET ')) continue;
      const [capability, short] = name.split('.') as [string, string];
      const call = requestOf(operation, Object.hasOwn(operation.input.shape, 'limit') ? { limit: '100' } : {});
      const { status, text } = await world.api[capability]!(short, { ...call, as: STRANGER });
      expect(status).toBeLessThan(500);
      expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
      asked += 1;
    }
    expect(asked).toBeGreaterThanOrEqual(5);
  });

  test('every id that people send is either owned or open to all who may ask', () => {
    const isId = (field: string): boolean => /Id$|^(sku|reference|category)$/.test(field);
    const fields = new Set(
      OPERATIONS.flatMap(([, { access, input }]) => (access.kind === 'anyone' ? [] : Object.keys(input.shape))),
    );
    const unknown = [...fields].filter(
      (field) => isId(field) && !(field in OWNED) && !OPEN_TO_ALL_WITH_THE_SCOPE.has(field),
    );
    expect(unknown).toEqual([]);
  });
});

test('each of the requests that the mutants were made from is accepted, and nothing reached the prototypes', async () => {
  const refused: string[] = [];
  for (const name of Object.keys(valid)) {
    const operation = OPERATION.get(name)!;
    const [capability, short] = name.split('.') as [string, string];
    for (const { as, input } of validInputs(name)) {
      const { status, text } = await world.api[capability]!(short, { ...requestOf(operation, input), as });
      if (status !== (operation.status ?? 200)) refused.push(`${name}: ${status} ${text.slice(0, 300)}`);
    }
  }
  expect(refused).toEqual([]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
