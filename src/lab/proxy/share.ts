/** How much of something the clients of the proxy may have at once. */

/** A number for each client and for all, with limits. */
export class Share {
  private readonly all: number;
  private readonly each: number;
  private readonly used = new Map<string, number>();
  private count = 0;

  constructor(all: number, each: number) {
    this.all = all;
    this.each = each;
  }

  take(client: string): boolean {
    const own = this.used.get(client) ?? 0;
    if (this.count >= this.all || own >= this.each) return false;
    this.count++;
    this.used.set(client, own + 1);
    return true;
  }

  giveBack(client: string): void {
    const left = (this.used.get(client) ?? 1) - 1;
    this.count--;
    if (left === 0) this.used.delete(client);
    else this.used.set(client, left);
  }
}
