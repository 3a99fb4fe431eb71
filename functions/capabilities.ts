/** Every capability, in the order in which data flows. Read by the stack, the docs, the API description and tests. */
import type { Capability } from '../shared/contract.ts';
import carts from './carts/contract.ts';
import catalog from './catalog/contract.ts';
import customers from './customers/contract.ts';
import fulfilment from './fulfilment/contract.ts';
import imports from './imports/contract.ts';
import inventory from './inventory/contract.ts';
import loyalty from './loyalty/contract.ts';
import network from './network/contract.ts';
import orders from './orders/contract.ts';
import outbox from './outbox/contract.ts';
import payments from './payments/contract.ts';
import platform from './platform/contract.ts';
import stockroom from './stockroom/contract.ts';
import tills from './tills/contract.ts';

export const CAPABILITIES: readonly Capability[] = [
  catalog,
  network,
  inventory,
  tills,
  stockroom,
  imports,
  customers,
  carts,
  orders,
  payments,
  fulfilment,
  loyalty,
  outbox,
  platform,
];
