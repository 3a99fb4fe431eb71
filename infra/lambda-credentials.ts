import { fromEnv } from '@aws-sdk/credential-provider-env';

/**
 * Stands in for the SDK's chain of credential sources when functions are bundled. Lambda gives a function its role's
 * credentials in the environment; profiles, SSO and instance metadata would only make every cold start longer.
 */
export const defaultProvider = (): ReturnType<typeof fromEnv> => fromEnv();
