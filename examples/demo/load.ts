import customers from '../../functions/customers/contract.ts';
import { type CloudAccess, clientOfAnyone, clientOfPerson, ensureAccount } from '../access.ts';
import {
  inParallel,
  keyOf,
  loadNodes,
  loadOpeningStock,
  loadProducts,
  nodesToLoad,
  productsToLoad,
} from '../loading.ts';
import { NODES } from './nodes.ts';
import { ACCOUNTS, CUSTOMERS, DEMO_PASSWORD, type DemoCustomer, HEAD_OFFICE } from './people.ts';
import { PRODUCTS } from './products.ts';
import { OPENING_STOCK } from './stock.ts';

const loadCustomer = async (access: CloudAccess, { username, profile, address }: DemoCustomer): Promise<void> => {
  const customer = clientOfPerson(access, username, DEMO_PASSWORD);
  await customer(customers.operations.saveProfile, profile);
  const { items } = await customer(customers.operations.addresses, { limit: 100 });
  if (items.some(({ line1 }) => line1 === address.line1)) return;
  await customer(customers.operations.addAddress, address, { idempotencyKey: keyOf('address', username, address) });
};

/**
 * Loads the demo chain over the API: accounts, nodes, opening stock, customers and, last, the products, so that a
 * chain whose products are all listed is a chain that is all there. Then it answers after two reads.
 *
 * @returns what was loaded, `undefined` where the chain was there already
 */
export const loadDemo = async (
  access: CloudAccess,
): Promise<{ nodes: number; products: number; accounts: number } | undefined> => {
  const anyone = clientOfAnyone(access);
  const [{ nodes, newNodeIds }, products] = await Promise.all([
    nodesToLoad(anyone, NODES),
    productsToLoad(anyone, PRODUCTS),
  ]);
  if (nodes.length === 0 && products.length === 0) return undefined;
  const withPassword = ACCOUNTS.map((account) => ({ ...account, password: DEMO_PASSWORD }));
  const [office, others] = [true, false].map((wanted) =>
    withPassword.filter(({ username }) => (username === HEAD_OFFICE) === wanted),
  ) as [typeof withPassword, typeof withPassword];
  await inParallel(office, (account) => ensureAccount(access, account));
  const headOffice = clientOfPerson(access, HEAD_OFFICE, DEMO_PASSWORD);
  const loadPeople = async (): Promise<void> => {
    await inParallel(others, (account) => ensureAccount(access, account));
    await inParallel(CUSTOMERS, (customer) => loadCustomer(access, customer));
  };
  const loadGoods = async (): Promise<void> => {
    await loadNodes(headOffice, nodes);
    await loadOpeningStock(headOffice, OPENING_STOCK, newNodeIds);
  };
  await Promise.all([loadPeople(), loadGoods()]);
  await loadProducts(headOffice, products);
  return { nodes: nodes.length, products: products.length, accounts: ACCOUNTS.length };
};
