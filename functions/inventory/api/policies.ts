import { change } from '../../../shared/change.ts';
import { type OperationHandlers, reply } from '../../../shared/http.ts';
import { refuse } from '../../../shared/result.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import type inventory from '../contract.ts';
import { noPolicyPart, POLICIES_MAX, policiesOf, policyPart } from '../store/policies.ts';

type Handlers = OperationHandlers<typeof inventory>;

export const policyHandlers = ({ tables }: Runtime): Pick<Handlers, 'policies' | 'setPolicy' | 'endPolicy'> => ({
  policies: async () => reply({ items: await policiesOf(tables) }),

  setPolicy: async (policy) => {
    const { kind, channels, from, until } = policy;
    if (kind === 'PILOT' && channels.length === 0) {
      return refuse('invalid-input', 'must name the channels that a pilot is for', '/channels');
    }
    if (from !== undefined && until !== undefined && until <= from) {
      return refuse('invalid-input', 'must be after from', '/until');
    }
    const others = (await policiesOf(tables)).filter(({ policyId }) => policyId !== policy.policyId);
    if (others.length >= POLICIES_MAX) {
      return refuse('invalid-input', `there are ${POLICIES_MAX} policies already; end one`, '/policyId');
    }
    return reply(policy, change([policyPart(policy)]));
  },

  endPolicy: async ({ policyId }) => reply({ policyId }, change([noPolicyPart(policyId)])),
});
