import { Sgtin96 } from 'epc-tds/dist/epc/sgtin/sgtin96.js';

/** One tagged unit. GTIN and serial ARE the identity: the filter value of the tag is not part of it (GS1 TDS). */
export interface Tag {
  gtin14: string;
  serial: number;
}

export type Decoded = { tag: Tag } | { reason: string };

const SGTIN_96 = /^30[0-9A-F]{22}$/;
const PARTITIONS = 7;
const GTIN_DIGITS = 14;

/**
 * What a tag says that a reader gave as hexadecimal, or why it is none of ours. The library decodes; it reads what is
 * too short as if zeros followed, drops what is too long, and takes figures that have more digits than their partition
 * allows, so that all of this is refused here.
 */
export const decode = (epc: string): Decoded => {
  const hex = epc.trim().toUpperCase();
  if (!/^[0-9A-F]*$/.test(hex)) return { reason: 'is not hexadecimal' };
  if (hex.length !== 24) return { reason: `has ${hex.length * 4} bits instead of 96` };
  if (!SGTIN_96.test(hex)) return { reason: `has header ${hex.slice(0, 2)}, and SGTIN-96 is 30` };
  const sgtin = new Sgtin96(hex);
  const partition = sgtin.getPartition();
  if (partition >= PARTITIONS) return { reason: `has partition ${partition}, which is none` };
  const gtin14 = sgtin.getGtin();
  if (gtin14.length !== GTIN_DIGITS) return { reason: 'holds a number with more digits than its partition allows' };
  return { tag: { gtin14, serial: sgtin.getSerial() } };
};
