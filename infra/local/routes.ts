import { METHODS } from 'node:http';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import { type Properties, type Resource, type Template, TemplateError } from './template.ts';

/** A JWT authorizer of the template. */
export interface JwtAuthorizer {
  id: string;
  issuer: string;
  audience: string[];
  /** Lower-case name of the header that carries the token. */
  header: string;
}

/** One route of the API with all it refers to. */
export interface Route {
  /** As `PUT /v1/carts/{cartId}`. */
  key: string;
  functionArn: string;
  timeoutMilliseconds: number;
  authorizer?: JwtAuthorizer;
  /** A token needs one of these; none means any valid token. */
  scopes: string[];
}

export type RouteFinder = (
  method: string,
  path: string,
) => { route: Route; parameters: Record<string, string> } | undefined;

const INTEGRATION_LIMIT_MS = 30_000;
const ROUTE_METHODS: string[] = METHODS.filter((method) => /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/.test(method));

/**
 * Finds the route of a request as API Gateway does: exact path before variables before `{proxy+}` before `$default`,
 * and a method of its own before ANY. Throws TemplateError for an integration or authorizer that is not served here.
 */
export function routesOf(template: Template, api: Resource): RouteFinder {
  const routes = template
    .resources('AWS::ApiGatewayV2::Route')
    .filter((route) => route.properties.ApiId === api.name)
    .map((route) => routeOf(template, route));
  const router = findMyWay<findMyWay.HTTPVersion.V1>({ maxParamLength: 8192 });
  const add = (method: string, path: string, route: Route) =>
    router.on(method as HTTPMethod, patternOf(path), () => {}, { route, greedy: /\{(\w+)\+\}/.exec(path)?.[1] });
  const taken = new Set(routes.map((route) => route.key));
  let fallback: Route | undefined;
  for (const route of routes) {
    const [method = '', path = ''] = route.key.split(' ');
    if (route.key === '$default') fallback = route;
    else if (method !== 'ANY') add(method, path, route);
    else for (const each of ROUTE_METHODS) if (!taken.has(`${each} ${path}`)) add(each, path, route);
  }
  return (method, path) => {
    const found = router.find(method as HTTPMethod, path);
    const { '*': rest, ...parameters } = (found?.params ?? {}) as Record<string, string>;
    // A greedy variable stands for one character at least.
    if (!found || rest === '') return fallback && { route: fallback, parameters: {} };
    const { route, greedy } = found.store as { route: Route; greedy?: string };
    return { route, parameters: greedy && rest ? { ...parameters, [greedy]: rest } : parameters };
  };
}

/** `/v1/carts/{cartId}/{proxy+}` in the router's notation. */
function patternOf(path: string): string {
  return path
    .replaceAll(':', '::')
    .replace(/\{(\w+)\+\}$/, '*')
    .replace(/\{([^}]+)\}/g, ':$1');
}

function routeOf(template: Template, resource: Resource): Route {
  const { RouteKey, Target, AuthorizationType, AuthorizerId, AuthorizationScopes } = resource.properties;
  const integration = template.byName('AWS::ApiGatewayV2::Integration', String(Target).replace('integrations/', ''));
  if (!integration) throw new TemplateError(`${resource.stack}/${resource.id}: "${RouteKey}" has no integration.`);
  const authorizer = authorizerOf(template, resource, AuthorizationType, AuthorizerId);
  return {
    key: RouteKey,
    ...integrationOf(integration),
    ...(authorizer && { authorizer }),
    scopes: AuthorizationScopes ?? [],
  };
}

/** ARN of the function that an integration calls, if it is one. */
export const integratedFunction = ({ properties }: Resource): string | undefined =>
  /arn:aws:lambda:[^/]+/.exec(String(properties.IntegrationUri))?.[0];

/** ARNs of the template's functions that requests are answered by. */
export const functionsOfApi = (template: Template): Set<string> =>
  new Set(
    template
      .resources('AWS::ApiGatewayV2::Integration')
      .flatMap((integration) => integratedFunction(integration) ?? [])
      .filter((arn) => template.byArn(arn)?.type === 'AWS::Lambda::Function'),
  );

function integrationOf(resource: Resource): Pick<Route, 'functionArn' | 'timeoutMilliseconds'> {
  const { IntegrationType, IntegrationSubtype, PayloadFormatVersion, TimeoutInMillis } = resource.properties;
  const functionArn = integratedFunction(resource);
  if (IntegrationType !== 'AWS_PROXY' || IntegrationSubtype || PayloadFormatVersion !== '2.0' || !functionArn) {
    throw new TemplateError(
      `${resource.stack}/${resource.id}: the local gateway serves functions with payload format 2.0 only; ` +
        `teach infra/local/routes.ts the ${IntegrationType} integration.`,
    );
  }
  return { functionArn, timeoutMilliseconds: TimeoutInMillis ?? INTEGRATION_LIMIT_MS };
}

function authorizerOf(
  template: Template,
  route: Resource,
  type: string | undefined,
  id: string,
): JwtAuthorizer | undefined {
  if (!type || type === 'NONE') return undefined;
  const properties: Properties = template.byName('AWS::ApiGatewayV2::Authorizer', id)?.properties ?? {};
  const [, header] = /^\$request\.header\.(.+)$/.exec(String([properties.IdentitySource].flat()[0])) ?? [];
  if (type !== 'JWT' || properties.AuthorizerType !== 'JWT' || !header) {
    throw new TemplateError(
      `${route.stack}/${route.id}: the local gateway knows JWT authorizers that read a header only; ` +
        `teach infra/local/routes.ts ${type}.`,
    );
  }
  const { Issuer, Audience } = properties.JwtConfiguration;
  return { id, issuer: Issuer, audience: Audience, header: header.toLowerCase() };
}
