import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode } from '../../functions/stockroom/epc.ts';
import { epcOf } from './tags.ts';

/** The example of GS1's Tag Data Standard: urn:epc:tag:sgtin-96:1.0614141.812345.6789. */
const GS1_EXAMPLE = '3034257BF7194E4000001A85';

const reasonOf = (epc: string): string | undefined => {
  const decoded = decode(epc);
  return 'reason' in decoded ? decoded.reason : undefined;
};

describe('what a tag says', () => {
  it('the example of the standard is GTIN 80614141123458, serial 6789, in upper or lower case', () => {
    const tag = { gtin14: '80614141123458', serial: 6789 };
    expect(decode(GS1_EXAMPLE)).toEqual({ tag });
    expect(decode(GS1_EXAMPLE.toLowerCase())).toEqual({ tag });
    expect(epcOf(1, 5, 614141n, 812345n, 6789n)).toBe(GS1_EXAMPLE);
  });

  it('the filter is no part of the identity', () => {
    const filters = [0, 1, 2, 3, 4, 5, 6, 7].map((filter) => decode(epcOf(filter, 5, 614141n, 812345n, 6789n)));
    expect(new Set(filters.map((decoded) => JSON.stringify(decoded))).size).toBe(1);
  });

  it.each([
    ['too short', GS1_EXAMPLE.slice(0, 22), 'bits'],
    ['too long', `${GS1_EXAMPLE}00`, 'bits'],
    ['of odd length', GS1_EXAMPLE.slice(1), 'bits'],
    ['no hexadecimal', `${GS1_EXAMPLE.slice(0, 22)}ZZ`, 'hexadecimal'],
    ['an SSCC', '3134257BF4499602D2000000', 'header 31'],
    ['unprogrammed', '000000000000000000000000', 'header 00'],
    ['of partition 7', '303C257BF7194E4000001A85', 'partition 7'],
    ['a company prefix of too many digits', epcOf(1, 5, 2n ** 24n - 1n, 5n, 1n), 'digits'],
    ['an item reference of too many digits', epcOf(1, 5, 5n, 2n ** 20n - 1n, 1n), 'digits'],
  ])('a tag that is %s is refused with its reason', (_, epc, reason) => {
    expect(reasonOf(epc)).toContain(reason);
  });

  it('is read back for every partition and any serial, with a check digit that is right', () => {
    const anyTag = fc
      .integer({ min: 0, max: 6 })
      .chain((partition) =>
        fc.tuple(
          fc.constant(partition),
          fc.bigInt({ min: 0n, max: 10n ** BigInt(12 - partition) - 1n }),
          fc.bigInt({ min: 0n, max: 10n ** BigInt(1 + partition) - 1n }),
          fc.bigInt({ min: 0n, max: 2n ** 38n - 1n }),
        ),
      );
    fc.assert(
      fc.property(anyTag, ([partition, company, item, serial]) => {
        const itemDigits = String(item).padStart(1 + partition, '0');
        const digits = `${itemDigits[0]}${String(company).padStart(12 - partition, '0')}${itemDigits.slice(1)}`;
        const sum = [...digits].reduce((total, digit, at) => total + Number(digit) * (at % 2 === 0 ? 3 : 1), 0);
        expect(decode(epcOf(1, partition, company, item, serial))).toEqual({
          tag: { gtin14: `${digits}${(10 - (sum % 10)) % 10}`, serial: Number(serial) },
        });
      }),
      { numRuns: 500 },
    );
  });

  it('never throws, whatever a reader sends', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9A-Fa-f]{24}$/)), (epc) => {
        const decoded = decode(epc);
        expect('tag' in decoded ? decoded.tag.gtin14 : decoded.reason).toMatch(/^\d{14}$|\w/);
      }),
      { numRuns: 2_000 },
    );
  });
});
