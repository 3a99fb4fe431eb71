import { put } from '../../shared/change.ts';
import type { Money } from '../../shared/money.ts';
import type { Key, Tables } from '../../shared/table.ts';
import type { Outcome } from './domain.ts';
import { type PaymentProvider, ProviderUnreachable } from './provider.ts';

/**
 * A double of somebody else's system, with its own records. `tok_decline` is declined, `tok_needs_action` waits for
 * the buyer, `tok_timeout` is approved but never answered, any other token is approved.
 */

const TABLE = 'payments';

interface Charge {
  state: Exclude<Outcome['state'], 'NONE'>;
  /** Absent where the key was ended before it was ever used. */
  amount?: Money;
  captured?: Money;
}

/** What may go wrong on the way to the provider (`before`) and back (`after`): a rejection loses the message. */
export interface Faults {
  before?(operation: keyof PaymentProvider, key: string): Promise<void>;
  after?(operation: keyof PaymentProvider, key: string): Promise<void>;
}

const STATE_BY_TOKEN: Record<string, Charge['state']> = { tok_decline: 'DECLINED', tok_needs_action: 'NEEDS_ACTION' };

const chargeKey = (key: string): Key => ({ pk: `PROVIDER#${key}`, sk: 'CHARGE' });

const outcome = (key: string, charge: Charge | undefined): Outcome => {
  if (charge === undefined) return { state: 'NONE' };
  switch (charge.state) {
    case 'DECLINED':
      return { state: 'DECLINED', reason: 'the bank declined the card' };
    case 'NEEDS_ACTION':
      return { state: 'NEEDS_ACTION', url: `https://bank.example/authenticate/${encodeURIComponent(key)}` };
    case 'CAPTURED':
      return { state: 'CAPTURED', amount: charge.captured! };
    default:
      return { state: charge.state };
  }
};

/** Writes what `change` makes of the charge, unless somebody else wrote meanwhile or it is not new: then it is asked again. */
const chargesIn = (tables: Tables) => {
  const read = async (key: string): Promise<Charge | undefined> => {
    const item = await tables.get<Charge & Key>(TABLE, chargeKey(key));
    if (item === undefined) return undefined;
    const { pk, sk, ...charge } = item;
    return charge;
  };
  const write = async (
    key: string,
    change: (found: Charge | undefined) => Charge | undefined,
    isNew = false,
  ): Promise<Charge | undefined> => {
    for (let isUnread = isNew; ; isUnread = false) {
      const found = isUnread ? undefined : await read(key);
      const wanted = change(found);
      if (wanted === undefined) return found;
      const part = put(
        TABLE,
        { ...chargeKey(key), ...wanted },
        [found === undefined ? { guard: 'once' } : { guard: 'one-of', attribute: 'state', values: [found.state] }],
        { problem: 'changed-meanwhile', detail: 'the charge was changed meanwhile' },
      );
      const written = await tables.commit([part]);
      if (written.ok) return wanted;
      if (written.refusal.problem === 'too-busy') throw new ProviderUnreachable(written.refusal.detail);
    }
  };
  return { read, write };
};

const sameAmount = (a: Money, b: Money | undefined): boolean =>
  b === undefined || (a.amountMinor === b.amountMinor && a.currency === b.currency);

export const simulatedProvider = (tables: Tables, faults: Faults = {}): PaymentProvider => {
  const charges = chargesIn(tables);
  const over = async (operation: keyof PaymentProvider, key: string, act: () => Promise<Charge | undefined>) => {
    await faults.before?.(operation, key);
    const charge = await act();
    await faults.after?.(operation, key);
    return outcome(key, charge);
  };
  return {
    authorise: async ({ key, amount, token }) => {
      const answer = await over('authorise', key, () =>
        charges.write(
          key,
          (found) => {
            if (found === undefined) return { state: STATE_BY_TOKEN[token] ?? 'APPROVED', amount };
            if (!sameAmount(amount, found.amount)) throw new Error(`${key} was used with another amount before`);
            return undefined;
          },
          true,
        ),
      );
      if (token === 'tok_timeout') throw new ProviderUnreachable(`no answer about ${key}`);
      return answer;
    },
    confirm: (key) =>
      over('confirm', key, () =>
        charges.write(key, (found) => (found?.state === 'NEEDS_ACTION' ? { ...found, state: 'APPROVED' } : undefined)),
      ),
    outcomeOf: (key) => over('outcomeOf', key, () => charges.read(key)),
    capture: (key, captured) =>
      over('capture', key, () =>
        charges.write(key, (found) => {
          if (found?.state !== 'APPROVED') return undefined;
          if (captured.amountMinor > found.amount!.amountMinor) throw new Error(`${key} holds less than is captured`);
          return { ...found, state: 'CAPTURED', captured };
        }),
      ),
    void: (key) =>
      over('void', key, () =>
        charges.write(key, (found) => {
          if (found === undefined) return { state: 'VOIDED' };
          return found.state === 'APPROVED' || found.state === 'NEEDS_ACTION'
            ? { ...found, state: 'VOIDED' }
            : undefined;
        }),
      ),
  };
};
