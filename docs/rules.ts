import type { RuleDefinition, RulesetDefinition } from '@stoplight/spectral-core';
import owaspModule from '@stoplight/spectral-owasp-ruleset';
import spectralRulesets from '@stoplight/spectral-rulesets';

// Their own types do not say that they are rulesets.
const oas = spectralRulesets.oas as unknown as RulesetDefinition;
const owasp = owaspModule as unknown as RulesetDefinition & { rules: Record<string, object> };

/** A rule of OWASP's for fewer places than it was written for. */
const narrowed = (name: string, given: string): RuleDefinition => {
  const rule = owasp.rules[name];
  if (rule === undefined) throw new Error(`OWASP's rules have no ${name}`);
  return { ...rule, given } as RuleDefinition;
};

/** Rules of Spectral for OpenAPI and of OWASP's API security top ten: all of them, but for what has a reason here. */
export const API_RULES: RulesetDefinition = {
  extends: [
    [oas, 'all'],
    [owasp, 'all'],
  ],
  rules: {
    // Whoever deploys it is its contact; a repository names nobody.
    'info-contact': 'off',
    // OpenAPI 3.1 lets a bearer scheme name what an operation needs; the rule looks for these scopes in OAuth flows.
    'oas3-operation-security-defined': 'off',
    // What anyone sees in a shop window is public by its contract. Who may ask what is tried for every operation in
    // test/hostile, and an operation without an access rule does not compile.
    'owasp:api2:2023-read-restricted': 'off',
    // The client-credentials grant has no refresh tokens (RFC 6749, 4.4.3). Access tokens live one hour.
    'owasp:api2:2023-short-lived-access-tokens': 'off',
    // Scopes tell staff from customers here, not paths: the same scope shows an order and how it is fulfilled.
    'owasp:api5:2023-admin-security-unique': 'off',
    // The gateway answers 429 by itself, and an HTTP API cannot be told to send Retry-After.
    'owasp:api4:2023-rate-limit-retry-after': 'off',
    // For the same reason 429 has no other header of ours; every answer of a function has it.
    'owasp:api4:2023-rate-limit': narrowed(
      'owasp:api4:2023-rate-limit',
      "$.paths[*]..responses[?(@property.match(/^(2|4)/) && @property !== '429')]",
    ),
    // What needs no token is not answered with 401.
    'owasp:api8:2023-define-error-responses-401': narrowed(
      'owasp:api8:2023-define-error-responses-401',
      '$.paths[*][?(@ && @.security && @.security.length > 0)].responses',
    ),
  },
};
