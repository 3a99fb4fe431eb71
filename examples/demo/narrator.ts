import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { decimal, type Money } from '../../shared/money.ts';

/** Where the demo is told: colours and passing lines on a terminal, plain lines everywhere else. */
export type Output = Writable & { isTTY?: boolean };

type Style = Parameters<typeof styleText>[0];

export const won = (amount: Money): string =>
  new Intl.NumberFormat('en', { style: 'currency', currency: amount.currency }).format(Number(decimal(amount)));

const ACTOR_WIDTH = 14;

const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - text.length));

export class Narrator {
  readonly #out: Output;

  constructor(out: Output) {
    this.#out = out;
  }

  /** Colours only where a person looks: not in a file, and not against NO_COLOR. */
  #style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#out });
  }

  #line(text: string): void {
    this.#out.write(`${text}\n`);
  }

  title(text: string): void {
    this.#line(`\n${this.#style('bold', text)}`);
  }

  /** Somebody does something. `why` is the reason that the system, or the actor, gives for it. */
  step(actor: string, what: string, why?: string): void {
    this.#line(`  ${this.#style('cyan', padded(actor, ACTOR_WIDTH))} ${what}`);
    if (why !== undefined) this.#line(`  ${' '.repeat(ACTOR_WIDTH)} ${this.#style('dim', `because ${why}`)}`);
  }

  refusal(actor: string, what: string, problem: string, why: string): void {
    this.#line(`  ${this.#style('cyan', padded(actor, ACTOR_WIDTH))} ${what}: ${this.#style('yellow', problem)}`);
    this.#line(`  ${' '.repeat(ACTOR_WIDTH)} ${this.#style('dim', `because ${why}`)}`);
  }

  success(text: string): void {
    this.#line(`  ${this.#style('green', `✓ ${text}`)}`);
  }

  /** Shows what is waited for while it is, on a terminal; anywhere else nothing is left to see. */
  async waiting<T>(what: string, work: Promise<T>): Promise<T> {
    if (this.#out.isTTY !== true) return work;
    this.#out.write(this.#style('dim', `  ${padded('', ACTOR_WIDTH)} … ${what}`));
    try {
      return await work;
    } finally {
      this.#out.write('\r\u001b[K');
    }
  }

  table(title: string, heads: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
    const texts = rows.map((row) => row.map(String));
    const widths = heads.map((head, column) => Math.max(head.length, ...texts.map((row) => row[column]!.length)));
    const isNumber = heads.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
    const line = (cells: readonly string[]): string =>
      cells
        .map((cell, column) => (isNumber[column] ? cell.padStart(widths[column]!) : padded(cell, widths[column]!)))
        .join('  ')
        .trimEnd();
    this.title(title);
    this.#line(`  ${this.#style('dim', line(heads))}`);
    for (const row of texts) this.#line(`  ${line(row)}`);
  }
}
