import { synthesize } from '../../infra/local/synth.ts';

/** Once before all tests: the templates that they look at and run on, checked by cdk-nag when anything changed. */
export const setup = async (): Promise<void> => {
  await synthesize({ validate: true });
};
