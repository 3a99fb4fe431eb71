import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import {
  CfnUserPoolGroup,
  FeaturePlan,
  LambdaVersion,
  Mfa,
  OAuthScope,
  ResourceServerScope,
  StringAttribute,
  UserPool,
  type UserPoolClient,
  UserPoolOperation,
  type UserPoolResourceServer,
} from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import { GROUPS, RESOURCE_SERVER, ROLES, SCOPES } from '../../shared/auth.ts';
import { CommerceFunction } from './function.ts';

/** Who people and channels are. Groups become scopes in the trigger `functions/identity`. */
export class Identity extends Construct {
  readonly pool: UserPool;
  /** For shoppers' and staff's screens. */
  readonly screens: UserPoolClient;
  /** For channels: machines that place orders for others. */
  readonly channels: UserPoolClient;

  constructor(scope: Construct, id: string, stage: string) {
    super(scope, id);
    this.pool = new UserPool(this, 'Pool', {
      selfSignUpEnabled: true,
      signInAliases: { username: true, email: true },
      autoVerify: { email: true },
      customAttributes: { nodeId: new StringAttribute({ maxLen: 32, mutable: true }) },
      passwordPolicy: {
        minLength: 12,
        requireLowercase: true,
        requireUppercase: true,
        requireDigits: true,
        requireSymbols: true,
      },
      mfa: Mfa.OPTIONAL,
      mfaSecondFactor: { otp: true, sms: false },
      featurePlan: FeaturePlan.ESSENTIALS,
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.addRolesToTokens();
    for (const groupName of GROUPS) {
      new CfnUserPoolGroup(this, `Group-${groupName}`, { userPoolId: this.pool.userPoolId, groupName });
    }
    const server = this.pool.addResourceServer('Api', {
      identifier: RESOURCE_SERVER,
      scopes: Object.entries(SCOPES).map(
        ([scopeName, scopeDescription]) => new ResourceServerScope({ scopeName, scopeDescription }),
      ),
    });
    this.pool.addDomain('Domain', {
      cognitoDomain: { domainPrefix: `ieum-${stage}-${Stack.of(this).account}` },
    });
    this.screens = this.pool.addClient('Screens', {
      authFlows: { userPassword: true, userSrp: true },
      // No writeAttributes: Cognito then lets people write its standard attributes only, never `custom:nodeId`.
      accessTokenValidity: Duration.hours(1),
      preventUserExistenceErrors: true,
      disableOAuth: true,
    });
    this.channels = this.addChannels(server);
    Validations.of(this.pool).acknowledge(
      { id: 'AwsSolutions-COG2', reason: 'MFA is optional for shoppers; chains require it of staff by group policy.' },
      { id: 'AwsSolutions-COG8', reason: 'The Plus plan is a cost per user that a chain has to choose for itself.' },
    );
  }

  private addRolesToTokens(): void {
    const preToken = new CommerceFunction(this, 'PreToken', {
      folder: 'identity',
      handler: 'preToken',
      description: "Turns a user's group into the scopes of the access token",
      timeout: Duration.seconds(5),
      environment: {},
    });
    this.pool.addTrigger(UserPoolOperation.PRE_TOKEN_GENERATION_CONFIG, preToken, LambdaVersion.V2_0);
  }

  private addChannels(server: UserPoolResourceServer): UserPoolClient {
    return this.pool.addClient('Channels', {
      generateSecret: true,
      oAuth: {
        flows: { clientCredentials: true },
        scopes: ROLES.channel.map((scope) =>
          OAuthScope.resourceServer(
            server,
            new ResourceServerScope({ scopeName: scope, scopeDescription: SCOPES[scope] }),
          ),
        ),
      },
      accessTokenValidity: Duration.hours(1),
    });
  }
}
