/** Addresses for what the input gives none. */
import { type Address, type AddressRange, type AddressSet, type Family, formatAddress } from "../../net/address.ts";

/** Gives out addresses of ranges in order, never one that somebody has. */
export class AddressPool {
  private readonly ranges: readonly AddressRange[];
  private readonly taken: Set<string>;
  private index = 0;
  private next: bigint | undefined;

  /**
   * Takes the declared ranges, the range for when none of the family is declared, and the addresses that are taken,
   * which the pools of one lab share.
   */
  constructor(declared: AddressSet, family: Family, otherwise: AddressRange, taken: Set<string>) {
    const own = declared.filter((range) => range.family === family);
    this.ranges = own.length === 0 ? [otherwise] : own;
    this.taken = taken;
  }

  /** A free address; undefined when all are taken. The first of each range names the network and is left out. */
  take(): string | undefined {
    for (; this.index < this.ranges.length; this.index++, this.next = undefined) {
      const range = this.ranges[this.index];
      if (range === undefined) return undefined;
      this.next ??= range.first + 1n;
      while (this.next < range.last || range.first === range.last) {
        const address: Address = { family: range.family, value: this.next++ };
        const text = formatAddress(address);
        if (this.taken.has(text)) continue;
        this.taken.add(text);
        return text;
      }
    }
    return undefined;
  }
}
