import type * as z from 'zod';
import { type Change, change, changedMeanwhile, check, fact, put } from '../../shared/change.ts';
import { type Lookup, lookUp } from '../../shared/lookup.ts';
import type { Guard, Key, Page, Part, Tables } from '../../shared/table.ts';
import type { Instant } from '../../shared/time.ts';
import customers, { type NewAddress, type Profile } from './contract.ts';
import { type CustomerState, type OpenCustomer, opened } from './domain.ts';
import { type Sealer, unseal } from './sealing.ts';

const TABLE = 'customers';

export type Address = z.infer<typeof NewAddress>;
export type ProfileData = z.infer<typeof Profile>;

type KeyItem = Key & CustomerState;

interface SealedItem extends Key {
  sealed: string;
  keyVersion: number;
}

const pkOf = (customerId: string): string => `CUSTOMER#${customerId}`;
const keyKey = (customerId: string): Key => ({ pk: pkOf(customerId), sk: 'KEY' });
const profileKey = (customerId: string): Key => ({ pk: pkOf(customerId), sk: 'PROFILE' });
const ADDRESS_PREFIX = 'ADDRESS#';
const addressKey = (customerId: string, addressId: string): Key => ({
  pk: pkOf(customerId),
  sk: `${ADDRESS_PREFIX}${addressId}`,
});

const placeOf = ({ pk, sk }: Key): string => `${pk}/${sk}`;

/** The key that an item was sealed with; undefined where there is no item, or its key was destroyed. */
const keyTo = (root: KeyItem | undefined, item: SealedItem | undefined): string | undefined =>
  item !== undefined && item.keyVersion === root?.keyVersion ? root.key : undefined;

/** The plain value, or undefined where there is none or its key was destroyed. */
const openItem = <T>(root: KeyItem | undefined, item: SealedItem | undefined): T | undefined => {
  const key = keyTo(root, item);
  return key === undefined || item === undefined ? undefined : unseal<T>(key, placeOf(item), item.sealed);
};

export const customerState = (tables: Tables, customerId: string): Promise<KeyItem | undefined> =>
  tables.get<KeyItem>(TABLE, keyKey(customerId));

const sealedLookup = <T>(customerId: string, key: Key): Lookup<T | undefined> => ({
  reads: [
    { table: TABLE, key: keyKey(customerId) },
    { table: TABLE, key },
  ],
  of: ([root, item]) => openItem<T>(root as KeyItem | undefined, item as SealedItem | undefined),
});

export const profileOf = async (tables: Tables, customerId: string): Promise<ProfileData | undefined> =>
  (await lookUp(tables, sealedLookup<ProfileData>(customerId, profileKey(customerId))))[0];

export const addressLookup = (customerId: string, addressId: string): Lookup<Address | undefined> =>
  sealedLookup(customerId, addressKey(customerId, addressId));

/** Whether an address is there and the key that it was sealed with, too. */
export const hasAddressLookup = (customerId: string, addressId: string): Lookup<boolean> => ({
  ...addressLookup(customerId, addressId),
  of: ([root, item]) => keyTo(root as KeyItem | undefined, item as SealedItem | undefined) !== undefined,
});

export const addressOf = async (tables: Tables, customerId: string, addressId: string): Promise<Address | undefined> =>
  (await lookUp(tables, addressLookup(customerId, addressId)))[0];

/** Newest first. A page may hold fewer than `limit` where an earlier key was destroyed. */
export const addressesOf = async (
  tables: Tables,
  customerId: string,
  page: { limit: number; cursor?: string | undefined },
): Promise<Page<Address & { addressId: string }>> => {
  const [key, { items, cursor }] = await Promise.all([
    customerState(tables, customerId),
    tables.query<SealedItem>(TABLE, {
      pk: pkOf(customerId),
      startsWith: ADDRESS_PREFIX,
      consistent: true,
      newestFirst: true,
      ...page,
    }),
  ]);
  const addresses = items.flatMap((item) => {
    const address = openItem<Address>(key, item);
    return address === undefined ? [] : [{ addressId: item.sk.slice(ADDRESS_PREFIX.length), ...address }];
  });
  return { items: addresses, ...(cursor === undefined ? {} : { cursor }) };
};

/** The customer as it stands, with a key: the one that is there, or a new one for a new or an erased customer. */
export const openCustomer = async (tables: Tables, sealer: Sealer, customerId: string): Promise<OpenCustomer> =>
  opened(customerId, await customerState(tables, customerId), () => sealer.newKey());

const seal = (sealer: Sealer, { key, keyVersion }: OpenCustomer, at: Key, value: unknown): Part<never> =>
  put(TABLE, { ...at, sealed: sealer.seal(key, placeOf(at), value), keyVersion }, [], undefined as never);

const asTheyWere = (version: number): Guard[] =>
  version === 0 ? [{ guard: 'absent' }] : [{ guard: 'version', version }];

/** Writes the customer's root one version on, saying so where it is a new one. */
const nextVersion = ({ customerId, key, keyVersion, version, isNew }: OpenCustomer): Change<'changed-meanwhile'> =>
  change(
    [
      put(
        TABLE,
        { ...keyKey(customerId), key, keyVersion, version: version + 1 },
        asTheyWere(version),
        changedMeanwhile('the customer'),
      ),
    ],
    isNew ? [fact(customers.emits.CustomerCreated, `customer/${customerId}`, version + 1, { customerId })] : [],
  );

export const saveProfile = (
  sealer: Sealer,
  customer: OpenCustomer,
  profile: ProfileData,
): Change<'changed-meanwhile'> => {
  const root = nextVersion(customer);
  return change([...root.parts, seal(sealer, customer, profileKey(customer.customerId), profile)], root.facts);
};

/** Seals an address under the customer's key, which must still be there when it is written. */
export const saveAddress = (
  sealer: Sealer,
  customer: OpenCustomer,
  addressId: string,
  address: Address,
): Change<'changed-meanwhile'> => {
  const { customerId, keyVersion } = customer;
  const root = customer.isNew
    ? nextVersion(customer)
    : change([
        check(
          TABLE,
          keyKey(customerId),
          [{ guard: 'one-of', attribute: 'keyVersion', values: [keyVersion] }],
          changedMeanwhile('the customer'),
        ),
      ]);
  return change([...root.parts, seal(sealer, customer, addressKey(customerId, addressId), address)], root.facts);
};

/** Destroys the key. What was sealed with it stays as noise that nobody can read. */
export const destroyKey = (
  customerId: string,
  found: CustomerState,
  erasedAt: Instant,
): Change<'changed-meanwhile'> => {
  const version = found.version + 1;
  const erased: CustomerState = { version, erasedAt };
  return change(
    [put(TABLE, { ...keyKey(customerId), ...erased }, asTheyWere(found.version), changedMeanwhile('the customer'))],
    [fact(customers.emits.CustomerErased, `customer/${customerId}`, version, { customerId })],
  );
};
