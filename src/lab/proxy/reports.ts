/** What the proxy tells of requests, some at a time: a report must not cost what the request does. */

import type { FromProxy, Report } from "./seam.ts";

const AFTER_MS = 20;
const AT_ONCE = 500;
/** Reports a second; beyond, they are counted and left out, never the requests. */
const PER_SECOND = 10_000;

export class Reports {
  private readonly tell: (message: FromProxy) => void;
  private collected: Report[] = [];
  private timer: NodeJS.Timeout | null = null;
  private left = 0;
  private second = 0;
  private inSecond = 0;

  constructor(tell: (message: FromProxy) => void) {
    this.tell = tell;
  }

  add(report: Report): void {
    const second = Math.floor(report.at / 1000);
    if (second !== this.second) {
      this.second = second;
      this.inSecond = 0;
    }
    if (++this.inSecond > PER_SECOND) {
      this.left++;
      return;
    }
    this.collected.push(report);
    if (this.collected.length >= AT_ONCE) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), AFTER_MS);
  }

  private flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const reports = this.collected;
    this.collected = [];
    const left = this.left;
    this.left = 0;
    this.tell({ kind: "reports", reports, left });
  }
}
