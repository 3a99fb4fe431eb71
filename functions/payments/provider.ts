import type { Money } from '../../shared/money.ts';
import type { Outcome } from './domain.ts';

/**
 * A payment provider, as payments needs it. Every request carries a key of ours and means the same however often it
 * is sent. Each answers within 10 seconds or rejects; a rejection says nothing about whether the provider acted.
 */
export interface PaymentProvider {
  /** Asks to hold an amount. A key that is known already gets the outcome it has. */
  authorise(request: { key: string; amount: Money; token: string }): Promise<Outcome>;
  /** The buyer has done what NEEDS_ACTION asked for. */
  confirm(key: string): Promise<Outcome>;
  /** What became of a key. */
  outcomeOf(key: string): Promise<Outcome>;
  /** Takes at most what is held; the rest is let go. */
  capture(key: string, amount: Money): Promise<Outcome>;
  /** Ends a key: lets go what is held, and refuses whatever comes with this key later, even what is on its way. */
  void(key: string): Promise<Outcome>;
}

/** The provider did not answer: it may have acted or not. */
export class ProviderUnreachable extends Error {}
