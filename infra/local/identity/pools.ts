import type { Properties, Resource, Template } from '../template.ts';
import { TemplateError } from '../template.ts';

export interface Pool {
  id: string;
  region: string;
  issuer: string;
  /** People may sign in with their verified e-mail address too. */
  emailIsAlias: boolean;
  /** People sign in with their e-mail address; their user name is a made-up id. */
  emailIsUsername: boolean;
  selfSignUp: boolean;
  passwordPolicy: Properties;
  groups: ReadonlySet<string>;
  /** Custom scopes, as `server/scope`. */
  scopes: ReadonlySet<string>;
  trigger: { functionArn: string; version: '2' | '3' } | undefined;
}

export interface Client {
  id: string;
  pool: Pool;
  secret: string | undefined;
  authFlows: ReadonlySet<string>;
  /** Undefined where the client may not use the token endpoint on its own behalf. */
  machineScopes: readonly string[] | undefined;
  /** Custom attributes that people may write themselves; the standard ones they always may. */
  writableCustom: ReadonlySet<string>;
  accessSeconds: number;
  idSeconds: number;
  refreshSeconds: number;
}

export interface Directory {
  pools: ReadonlyMap<string, Pool>;
  clients: ReadonlyMap<string, Client>;
}

const UNIT_SECONDS: Record<string, number> = { seconds: 1, minutes: 60, hours: 3600, days: 86_400 };

/**
 * Reads user pools and their clients from the template.
 * @throws TemplateError naming the resource that cannot work here as on AWS
 */
export function readDirectory(template: Pick<Template, 'resources'>): Directory {
  const pools = new Map<string, Pool>();
  for (const resource of template.resources('AWS::Cognito::UserPool'))
    pools.set(resource.name, readPool(template, resource));
  const clients = new Map<string, Client>();
  for (const resource of template.resources('AWS::Cognito::UserPoolClient')) {
    const pool = pools.get(resource.properties.UserPoolId);
    if (!pool) throw new TemplateError(`${resource.id} belongs to no user pool of this app: deploy the pool with it.`);
    clients.set(resource.name, readClient(resource, pool));
  }
  return { pools, clients };
}

function readPool(template: Pick<Template, 'resources'>, { id, name, properties }: Resource): Pool {
  const {
    LambdaConfig = {},
    Policies = {},
    UsernameAttributes = [],
    AliasAttributes = [],
    UserPoolTier,
    AdminCreateUserConfig,
  } = properties;
  const { PreTokenGenerationConfig: trigger, PreTokenGeneration: oldTrigger, ...otherTriggers } = LambdaConfig;
  if (Object.keys(otherTriggers).length > 0) {
    throw new TemplateError(
      `${id} has ${Object.keys(otherTriggers)}; infra/local/identity.ts knows PreTokenGenerationConfig only.`,
    );
  }
  // CloudFormation wants both fields to agree; the old one alone means V1_0, which cannot touch access tokens.
  if ((oldTrigger && !trigger) || (trigger && !['V2_0', 'V3_0'].includes(trigger.LambdaVersion))) {
    throw new TemplateError(`${id} has a PreTokenGeneration trigger of version 1; access tokens need V2_0 or V3_0.`);
  }
  if (trigger && UserPoolTier === 'LITE') throw new TemplateError(`${id} is LITE; its trigger needs ESSENTIALS.`);
  const inPool = (type: string) => template.resources(type).filter((each) => each.properties.UserPoolId === name);
  const servers = inPool('AWS::Cognito::UserPoolResourceServer').map(({ properties: server }) =>
    (server.Scopes ?? []).map((scope: Properties) => `${server.Identifier}/${scope.ScopeName}`),
  );
  const region = name.slice(0, name.indexOf('_'));
  return {
    id: name,
    region,
    issuer: `https://cognito-idp.${region}.amazonaws.com/${name}`,
    emailIsUsername: UsernameAttributes.includes('email'),
    emailIsAlias: AliasAttributes.includes('email'),
    selfSignUp: AdminCreateUserConfig?.AllowAdminCreateUserOnly !== true,
    passwordPolicy: Policies.PasswordPolicy ?? {},
    groups: new Set(inPool('AWS::Cognito::UserPoolGroup').map((group) => group.name)),
    scopes: new Set(servers.flat()),
    trigger: trigger && { functionArn: trigger.LambdaArn, version: trigger.LambdaVersion === 'V3_0' ? '3' : '2' },
  };
}

function readClient({ id, name, properties }: Resource, pool: Pool): Client {
  const { AllowedOAuthFlows = [], AllowedOAuthScopes = [], TokenValidityUnits: units = {} } = properties;
  const seconds = (validity: number | undefined, unit: string | undefined, fallback: string, otherwise: number) =>
    validity ? validity * UNIT_SECONDS[unit ?? fallback]! : otherwise;
  const standard = ['openid', 'email', 'phone', 'profile', 'aws.cognito.signin.user.admin'];
  const custom: string[] = AllowedOAuthScopes.filter((scope: string) => !standard.includes(scope));
  const unknown = custom.filter((scope) => !pool.scopes.has(scope));
  if (unknown.length > 0)
    throw new TemplateError(`${id} allows ${unknown}, which no resource server of its pool defines.`);
  const machine = AllowedOAuthFlows.includes('client_credentials');
  if (machine && !properties.GenerateSecret) {
    throw new TemplateError(`${id} allows client_credentials without GenerateSecret; Cognito refuses that.`);
  }
  return {
    id: name,
    pool,
    // The same as Fn::GetAtt ClientSecret in homes.ts.
    secret: properties.GenerateSecret ? `secret-${name}` : undefined,
    authFlows: new Set(properties.ExplicitAuthFlows ?? ['ALLOW_REFRESH_TOKEN_AUTH', 'ALLOW_USER_SRP_AUTH']),
    machineScopes: machine ? custom : undefined,
    writableCustom: new Set(properties.WriteAttributes ?? []),
    accessSeconds: seconds(properties.AccessTokenValidity, units.AccessToken, 'hours', 3600),
    idSeconds: seconds(properties.IdTokenValidity, units.IdToken, 'hours', 3600),
    refreshSeconds: seconds(properties.RefreshTokenValidity, units.RefreshToken, 'days', 30 * 86_400),
  };
}
