import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  type CfnStage,
  CorsHttpMethod,
  HttpApi,
  type HttpMethod,
  type IHttpRouteAuthorizer,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { type Access, scopeInToken } from '../../shared/auth.ts';
import { BURST, RATE_PER_SECOND } from '../../shared/limits.ts';
import type { Identity } from './identity.ts';

/** The HTTP API. A route is added with the access rule of its operation; there is no way to add one without. */
export class CommerceApi extends Construct {
  readonly api: HttpApi;
  private readonly authorizer: IHttpRouteAuthorizer;
  private readonly integrations = new Map<IFunction, HttpLambdaIntegration>();

  constructor(scope: Construct, id: string, identity: Identity) {
    super(scope, id);
    this.api = new HttpApi(this, 'Http', {
      description: 'Ieum',
      corsPreflight: {
        allowOrigins: ['*'],
        allowHeaders: ['authorization', 'content-type', 'idempotency-key', 'x-correlation-id'],
        allowMethods: [CorsHttpMethod.ANY],
        exposeHeaders: ['x-correlation-id', 'retry-after', 'idempotency-replayed', 'x-ratelimit-limit'],
      },
    });
    this.authorizer = new HttpJwtAuthorizer('Jwt', identity.pool.userPoolProviderUrl, {
      jwtAudience: [identity.screens.userPoolClientId, identity.channels.userPoolClientId],
    });
    this.limitAndLog();
  }

  /** `routeKey` as in the contract, e.g. `PUT /v1/nodes/{nodeId}`. */
  route(routeKey: string, handler: IFunction, access: Access): void {
    const [method, path] = routeKey.split(' ') as [HttpMethod, string];
    const integration = this.integrations.get(handler) ?? new HttpLambdaIntegration('Function', handler);
    this.integrations.set(handler, integration);
    const routes = this.api.addRoutes({
      path,
      methods: [method],
      integration,
      ...(access.kind === 'anyone'
        ? {}
        : { authorizer: this.authorizer, authorizationScopes: access.anyOf.map(scopeInToken) }),
    });
    if (access.kind !== 'anyone') return;
    for (const route of routes) {
      Validations.of(route).acknowledge({
        id: 'AwsSolutions-APIG4',
        reason: 'Public by its contract: what anyone may see in a shop window.',
      });
    }
  }

  private limitAndLog(): void {
    const logs = new LogGroup(this, 'AccessLogs', {
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const stage = this.api.defaultStage!.node.defaultChild as CfnStage;
    stage.defaultRouteSettings = {
      throttlingRateLimit: RATE_PER_SECOND,
      throttlingBurstLimit: BURST,
      detailedMetricsEnabled: true,
    };
    const fields = ['requestId', 'requestTime', 'routeKey', 'status', 'responseLatency', 'integrationErrorMessage'];
    stage.accessLogSettings = {
      destinationArn: logs.logGroupArn,
      format: JSON.stringify(Object.fromEntries(fields.map((field) => [field, `$context.${field}`]))),
    };
  }
}
