import { change, fact } from '../../shared/change.ts';
import { type OperationHandlers, reply } from '../../shared/http.ts';
import { refuse } from '../../shared/result.ts';
import type { Runtime } from '../../shared/runtime.ts';
import catalog from './contract.ts';
import { publish } from './domain.ts';
import { sellable } from './parts.ts';
import { listingOf, productOf, productPart, variantPart, variantsOf } from './store.ts';

export const handlers = ({ tables }: Runtime): OperationHandlers<typeof catalog> => ({
  publish: async (wanted) => {
    const earlier = await productOf(tables, wanted.productId);
    const skus = [...wanted.variants, ...(earlier?.variants ?? [])].map(({ sku }) => sku);
    const published = publish(wanted, earlier, await variantsOf(tables, skus));
    if (!published.ok) return published;
    const { product, variants, repriced } = published.value;
    const { productId, version } = product;
    return reply(
      product,
      change(
        [productPart(product), ...variants.map(variantPart)],
        [
          fact(catalog.emits.ProductPublished, `product/${productId}`, version, {
            productId,
            skus: product.variants.map(({ sku }) => sku),
          }),
          ...repriced.map(({ sku, price, version: priceVersion }) =>
            fact(catalog.emits.PriceChanged, `variant/${sku}`, priceVersion, { sku, price }),
          ),
        ],
      ),
    );
  },

  product: async ({ productId }) => {
    const product = await productOf(tables, productId);
    return product === undefined ? refuse('not-found', `there is no product ${productId}`) : reply(product);
  },

  products: async ({ category, limit, cursor }) => reply(await listingOf(tables, category, { limit, cursor })),

  variant: async ({ sku }) => {
    const variant = (await sellable(tables, [sku])).get(sku);
    return variant === undefined ? refuse('not-found', `${sku} is not on sale`) : reply(variant);
  },
});
