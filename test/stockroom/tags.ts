/** An SGTIN-96 as bits, by hand: filter, partition, company prefix, item reference and serial. */
const PREFIX_BITS = [40, 37, 34, 30, 27, 24, 20] as const;
export const epcOf = (filter: number, partition: number, company: bigint, item: bigint, serial: bigint): string => {
  const bits = PREFIX_BITS[partition] ?? 40;
  const whole = [
    [0x30n, 8],
    [BigInt(filter), 3],
    [BigInt(partition), 3],
    [company, bits],
    [item, 44 - bits],
    [serial, 38],
  ] as const;
  return whole
    .reduce((all, [value, width]) => (all << BigInt(width)) | value, 0n)
    .toString(16)
    .toUpperCase()
    .padStart(24, '0');
};

/** Item references of one company; each is a GTIN. */
export const COMPANY = 614141n;

/** The tag of one unit of an item. */
export const tagOf = (item: number, serial: number, filter = 1): string =>
  epcOf(filter, 5, COMPANY, BigInt(item), BigInt(serial));
