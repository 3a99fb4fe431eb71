import type { PreTokenGenerationV2TriggerEvent, PreTokenGenerationV2TriggerHandler } from 'aws-lambda';
import { grantOf } from './domain.ts';

/** Cognito calls this before it signs a user's tokens: the user's group becomes scopes, the user's node a claim. */
export const preToken: PreTokenGenerationV2TriggerHandler = async (event: PreTokenGenerationV2TriggerEvent) => {
  const { groupConfiguration, userAttributes } = event.request;
  const { scopes, nodeId } = grantOf(groupConfiguration.groupsToOverride ?? [], userAttributes['custom:nodeId']);
  event.response = {
    claimsAndScopeOverrideDetails: {
      accessTokenGeneration: {
        scopesToAdd: scopes,
        ...(nodeId === undefined ? {} : { claimsToAddOrOverride: { nodeId } }),
      },
    },
  };
  return event;
};
