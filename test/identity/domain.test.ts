import { describe, expect, it } from 'vitest';
import { grantOf } from '../../functions/identity/domain.ts';

describe('what a token says about its owner', () => {
  it('somebody in no group is a customer, who may shop and works nowhere', () => {
    expect(grantOf([], undefined)).toEqual({ scopes: ['ieum/shop'] });
    expect(grantOf(['customer'], 'store-1')).toEqual({ scopes: ['ieum/shop'] });
  });

  it('an associate works at the node of the account, and without one may do nothing', () => {
    expect(grantOf(['associate'], 'store-1')).toEqual({
      scopes: ['ieum/fulfilment:work', 'ieum/inventory:read', 'ieum/stock:work'],
      nodeId: 'store-1',
    });
    expect(grantOf(['associate'], undefined)).toEqual({ scopes: [] });
  });

  it('head office works everywhere, whatever node the account names', () => {
    const { scopes, nodeId } = grantOf(['head-office'], 'store-1');
    expect(nodeId).toBe('*');
    expect(scopes).toContain('ieum/inventory:write');
    expect(scopes).not.toContain('ieum/shop');
  });

  it('a group that is no role of ours gives nothing beyond what a customer has', () => {
    expect(grantOf(['administrators', 'channel', 'constructor', 'toString'], '*')).toEqual({ scopes: ['ieum/shop'] });
  });

  it('somebody in two groups may do what both may', () => {
    const { scopes } = grantOf(['customer', 'associate'], 'store-1');
    expect(scopes).toEqual(['ieum/shop', 'ieum/fulfilment:work', 'ieum/inventory:read', 'ieum/stock:work']);
  });
});
