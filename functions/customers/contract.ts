import * as z from 'zod';
import { customer } from '../../shared/auth.ts';
import { capability, event, operation } from '../../shared/contract.ts';
import { freeText, holdsCardNumber, Id, Location, pageOf, paging } from '../../shared/input.ts';
import { InstantSchema } from '../../shared/time.ts';

/** A customer's id: the token's `sub`, or `<channel>_<buyer>` for a buyer whom only a channel knows. */
export const CustomerId = z
  .string()
  .max(160)
  .regex(/^[\x21-\x7e]+$/);

const Phone = z
  .string()
  .max(30)
  .regex(/^\+?\d(?:[ -]?\d){4,14}$/, 'must be a phone number')
  // With a country's code it has up to 15 digits, as many as some cards: those may pass Luhn by chance.
  .refine((phone) => phone.startsWith('+') || !holdsCardNumber(phone), { error: 'must not be a card number' })
  .meta({ examples: ['+82 10-1234-5678'] });

const regionNames = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });

const Country = z
  .string()
  .max(2)
  .regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 alpha-2 code')
  .refine((code) => code !== 'ZZ' && (!/^[A-Z]{2}$/.test(code) || regionNames.of(code) !== undefined), {
    error: 'is not a country',
  })
  .meta({ description: 'ISO 3166-1 alpha-2', examples: ['KR'] });

/** What is needed to hand a parcel over. Kept as an immutable snapshot: a changed address is a new one. */
export const NewAddress = z
  .strictObject({
    recipient: freeText(100),
    phone: Phone,
    line1: freeText(200),
    line2: freeText(200).optional(),
    city: freeText(100),
    region: freeText(100).optional(),
    postalCode: freeText(16),
    country: Country,
    location: Location.optional().meta({ description: 'Needed for what is delivered by distance' }),
  })
  .meta({ id: 'NewAddress' });

export const Profile = z.object({
  name: freeText(100),
  email: z
    .email()
    .max(254)
    .refine((email) => !holdsCardNumber(email), { error: 'must not contain a card number' }),
  phone: Phone,
  locale: z.enum(['ko', 'en', 'ja']),
});

/**
 * Commands answer with ids only: an answer is remembered for repeats, and what is remembered lies outside the
 * customer's key.
 */
export default capability({
  name: 'customers',
  summary: "Who buys: profiles and addresses, sealed under each customer's own key, erased by destroying it.",
  table: { indexes: {} },
  operations: {
    profile: operation({
      route: 'GET /v1/customers/me',
      access: customer(),
      summary: "The caller's own profile.",
      input: z.object({}),
      output: z.object({ customerId: CustomerId, ...Profile.shape }).meta({ id: 'CustomerProfile' }),
      problems: ['not-found'],
    }),
    saveProfile: operation({
      route: 'PUT /v1/customers/me',
      access: customer(),
      summary: "Open or change the caller's own profile.",
      input: Profile,
      output: z.object({ customerId: CustomerId, version: z.int() }),
      problems: [],
    }),
    addAddress: operation({
      route: 'POST /v1/customers/me/addresses',
      access: customer(),
      summary: 'Keep a delivery address.',
      input: z.object(NewAddress.shape),
      output: z.object({ addressId: Id }),
      problems: [],
      status: 201,
    }),
    addresses: operation({
      route: 'GET /v1/customers/me/addresses',
      access: customer(),
      summary: "The caller's own addresses, newest first.",
      input: z.object(paging),
      output: pageOf(z.object({ addressId: Id, ...NewAddress.shape }).meta({ id: 'Address' })),
      problems: [],
    }),
    erase: operation({
      route: 'DELETE /v1/customers/me',
      access: customer(),
      summary: 'Erase the caller: the key is destroyed, and with it all that was sealed under it.',
      input: z.object({}),
      output: z.object({ customerId: CustomerId, erasedAt: InstantSchema }),
      problems: ['not-found'],
    }),
  },
  emits: {
    CustomerCreated: event('customer.created.v1', z.object({ customerId: CustomerId }), 'A customer was opened.'),
    CustomerErased: event('customer.erased.v1', z.object({ customerId: CustomerId }), 'A customer was erased.'),
  },
  grants: {
    api: { tables: { customers: ['GetItem', 'Query', 'PutItem', 'ConditionCheckItem'], outbox: ['PutItem'] } },
  },
});
