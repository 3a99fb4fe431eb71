import { add, allocate, type Dinero, type DineroCurrency, dinero, multiply, toDecimal, toSnapshot } from 'dinero.js';
import * as iso4217 from 'dinero.js/currencies';
import * as z from 'zod';

/** An amount in ISO 4217 minor units: `{ amountMinor: 12900, currency: 'KRW' }` is 12,900 won. */
export interface Money {
  amountMinor: number;
  currency: string;
}

const CURRENCIES: Record<string, DineroCurrency<number>> = { ...iso4217 };

export const CurrencyCode = z
  .string()
  .max(3)
  .regex(/^[A-Z]{3}$/)
  .refine((code) => code in CURRENCIES, { error: 'is not an ISO 4217 currency' })
  .meta({ description: 'ISO 4217 currency code', examples: ['KRW'] });

export const MoneySchema = z
  .strictObject({ amountMinor: z.int().min(0).max(1_000_000_000_000_000), currency: CurrencyCode })
  .meta({ id: 'Money', description: 'Integer minor units of an ISO 4217 currency (KRW has none: 12900 is ₩12,900)' });

const toDinero = ({ amountMinor, currency }: Money): Dinero<number> => {
  const known = CURRENCIES[currency];
  if (known === undefined) throw new Error(`${currency} is not an ISO 4217 currency`);
  return dinero({ amount: amountMinor, currency: known });
};

const fromDinero = (amount: Dinero<number>): Money => {
  const { amount: amountMinor, currency } = toSnapshot(amount);
  return { amountMinor, currency: currency.code };
};

export const times = (unit: Money, units: number): Money => fromDinero(multiply(toDinero(unit), units));

/** Sum of amounts of one currency. A second currency is a bug and throws. */
export const sum = (amounts: readonly Money[], currency: string): Money =>
  fromDinero(amounts.map(toDinero).reduce((total, next) => add(total, next), toDinero({ amountMinor: 0, currency })));

/** The tax inside a price that includes it (Korean VAT is 10 %): net + tax is the price, to the minor unit. */
export const taxIncluded = (gross: Money, ratePercent: number): Money => {
  const [, tax] = allocate(toDinero(gross), [100, ratePercent]);
  return fromDinero(tax!);
};

/** A decimal string in major units by ISO's exponent, e.g. `12.50` for 1250 USD cents and `12900` for won. */
export const decimal = (amount: Money): string => toDecimal(toDinero(amount));
