import * as z from 'zod';
import { anyone, scope } from '../../shared/auth.ts';
import { capability, event, operation } from '../../shared/contract.ts';
import { freeLines, freeText, Id, LocalizedText, pageOf, paging, Sku } from '../../shared/input.ts';
import { MoneySchema } from '../../shared/money.ts';

/** Forty lines of 999 units at this price still add up exactly, in integers. */
const PRICE_MINOR_MAX = 1_000_000_000;
/** So that a product, its variants and as many withdrawn ones fit into one transaction. */
const VARIANTS_MAX = 40;

const Price = MoneySchema.refine(({ amountMinor }) => amountMinor <= PRICE_MINOR_MAX, {
  error: `must be at most ${PRICE_MINOR_MAX}`,
  path: ['amountMinor'],
});

const Options = z
  .record(freeText(32), freeText(64))
  .refine((options) => Object.keys(options).length <= 8, { error: 'must be at most 8' })
  .meta({ description: 'What tells this variant from its sisters', examples: [{ colour: 'black', size: 'M' }] });

const Category = freeText(64, /^[^\p{Cc}#]*$/u).meta({ examples: ['apparel/tops'] });

/** Cold goods travel and wait only where there is a cold chain. */
const Storage = z.enum(['AMBIENT', 'COLD']);

/** One SKU of a product. The price includes VAT. */
export const Variant = z
  .strictObject({
    sku: Sku,
    options: Options.optional(),
    price: Price,
    taxRatePercent: z.int().min(0).max(30),
  })
  .meta({ id: 'Variant' });
export type Variant = z.infer<typeof Variant>;

const product = {
  productId: Id,
  name: LocalizedText,
  description: z
    .strictObject({ ko: freeLines(2000), en: freeLines(2000).optional(), ja: freeLines(2000).optional() })
    .optional(),
  category: Category,
  storage: Storage,
  variants: z.array(Variant).min(1).max(VARIANTS_MAX),
};
const NewProduct = z.object(product);
export type NewProduct = z.infer<typeof NewProduct>;

/** What is sold, in all its variants. */
export const Product = z
  .object({ ...product, version: z.int().meta({ description: 'Number of times it was published' }) })
  .meta({ id: 'Product' });
export type Product = z.infer<typeof Product>;

export const ProductSummary = z
  .object({
    productId: Id,
    name: LocalizedText,
    category: Category,
    storage: Storage,
    priceFrom: MoneySchema.meta({ description: 'Price of the cheapest variant' }),
    skus: z.array(Sku).max(VARIANTS_MAX),
  })
  .meta({ id: 'ProductSummary' });
export type ProductSummary = z.infer<typeof ProductSummary>;

/** A variant with what selling it takes: everything that a cart, an order or a till needs to know of a SKU. */
export const SellableVariant = z
  .object({
    sku: Sku,
    productId: Id,
    name: LocalizedText,
    category: Category,
    options: Options.optional(),
    price: MoneySchema,
    taxRatePercent: z.int(),
    storage: Storage,
  })
  .meta({ id: 'SellableVariant' });
export type SellableVariant = z.infer<typeof SellableVariant>;

export default capability({
  name: 'catalog',
  summary: 'What is sold: products, their variants (SKUs), and the one price of each.',
  table: { indexes: { listing: { project: ['productId', 'name', 'category', 'storage', 'priceFrom', 'skus'] } } },
  operations: {
    publish: operation({
      route: 'PUT /v1/products/{productId}',
      access: scope('catalog:write'),
      summary: 'Publish a product with all its variants. A variant that is left out is withdrawn from sale.',
      input: NewProduct,
      output: Product,
      problems: ['already-exists'],
    }),
    product: operation({
      route: 'GET /v1/products/{productId}',
      access: anyone(),
      summary: 'One product with all its variants.',
      input: z.object({ productId: Id }),
      output: Product,
      problems: ['not-found'],
    }),
    products: operation({
      route: 'GET /v1/products',
      access: anyone(),
      summary: 'Published products, by category.',
      input: z.object({ category: Category.optional(), ...paging }),
      output: pageOf(ProductSummary),
      problems: [],
    }),
    variant: operation({
      route: 'GET /v1/variants/{sku}',
      access: anyone(),
      summary: 'What one SKU is and costs now.',
      input: z.object({ sku: Sku }),
      output: SellableVariant,
      problems: ['not-found'],
    }),
  },
  emits: {
    ProductPublished: event(
      'product.published.v1',
      z.object({ productId: Id, skus: z.array(Sku).max(VARIANTS_MAX) }),
      'A product was published, for the first time or anew.',
    ),
    PriceChanged: event(
      'price.changed.v1',
      z.object({ sku: Sku, price: MoneySchema }),
      'A SKU that was on sale before has another price.',
    ),
  },
  grants: { api: { tables: { catalog: ['GetItem', 'Query:listing', 'PutItem'], outbox: ['PutItem'] } } },
});
