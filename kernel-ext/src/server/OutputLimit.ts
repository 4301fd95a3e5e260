/** Outputs that a cell may show at once, and how many more each second. */
const BURST = 5000;
const PER_SECOND = 100;
const LIMITED: ReadonlySet<string> = new Set(['display_data', 'update_display_data', 'error']);

interface Allowance {
  left: number;
  atMs: number;
  told: boolean;
}

/** Keeps a loop that shows without end from filling the memory of server and page; a bar may go on for days. */
export class OutputLimit {
  readonly #allowances = new Map<string, Allowance>();

  /** Whether an output of a request may be sent; `tell` is the first refusal, of which the user must know. */
  ask(parent: string, kind: string, nowMs: number = Date.now()): 'send' | 'tell' | 'drop' {
    if (!LIMITED.has(kind)) return 'send';
    const allowance = this.#allowances.get(parent) ?? { left: BURST, atMs: nowMs, told: false };
    this.#allowances.set(parent, allowance);
    allowance.left = Math.min(BURST, allowance.left + ((nowMs - allowance.atMs) / 1000) * PER_SECOND);
    allowance.atMs = nowMs;
    if (allowance.left >= 1) {
      allowance.left--;
      return 'send';
    }
    if (allowance.told) return 'drop';
    allowance.told = true;
    return 'tell';
  }

  /** The request has ended; what still comes starts with a new allowance. */
  forget(parent: string): void {
    this.#allowances.delete(parent);
  }
}
