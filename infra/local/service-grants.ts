import type { Used } from './functions.ts';
import { policyOf, statementsOf } from './policies.ts';
import { integratedFunction } from './routes.ts';
import { type Properties, type Resource, type Template, TemplateError } from './template.ts';

/**
 * What AWS does in the name of a function's role, where this process needs no permission: reading streams and sending
 * failures to queues. Together with FunctionHost.used() these are all the permissions a function uses.
 */
export function usedByServices(template: Template): Used[] {
  return [
    ...template.resources('AWS::Lambda::EventSourceMapping').flatMap((mapping) => usedByMapping(template, mapping)),
    ...template
      .resources('AWS::Lambda::EventInvokeConfig')
      .flatMap((config) => usedByDestination(functionOf(template, config), config)),
  ];
}

/** All that the roles of functions grant, action by action and resource by resource, wildcards as written. */
export function grantedToFunctions(template: Template): Used[] {
  return template.resources('AWS::Lambda::Function').flatMap(({ arn, properties }) =>
    statementsOf(template, properties.Role)
      .filter(({ Effect }) => Effect === 'Allow')
      .flatMap(({ Action = [], Resource = [] }) =>
        [Action]
          .flat()
          .flatMap((action) => [Resource].flat().map((resource) => ({ functionArn: arn, action, resource }))),
      ),
  );
}

/**
 * Refuses a template in which AWS's own services would be denied what they do here without asking: EventBridge, API
 * Gateway and Cognito calling functions, workflows calling functions, Lambda reading streams and sending failures.
 *
 * @throws TemplateError naming the resource and the permission it lacks
 */
export function assertServicesMay(template: Template): void {
  for (const { functionArn, action, resource } of usedByServices(template)) {
    const called = template.byArn(functionArn)!;
    if (!may(template, called.properties.Role, action, resource)) throw lacks(called, action, resource);
  }
  for (const machine of template.resources('AWS::StepFunctions::StateMachine')) {
    const definition = machine.properties.DefinitionString ?? JSON.stringify(machine.properties.Definition);
    for (const [arn] of definition.matchAll(/arn:aws:lambda:[\w:-]+/g)) {
      const action = 'lambda:InvokeFunction';
      if (!may(template, machine.properties.RoleArn, action, arn)) throw lacks(machine, action, arn);
    }
  }
  for (const rule of template.resources('AWS::Events::Rule')) assertRuleMay(template, rule);
  for (const integration of template.resources('AWS::ApiGatewayV2::Integration')) {
    const arn = integratedFunction(integration);
    if (arn) assertMayInvoke(template, integration, 'apigateway', arn, `:${integration.properties.ApiId}/`);
  }
  for (const pool of template.resources('AWS::Cognito::UserPool')) {
    const { PreTokenGenerationConfig, ...triggers } = pool.properties.LambdaConfig ?? {};
    for (const arn of Object.values<unknown>({ ...triggers, token: PreTokenGenerationConfig?.LambdaArn })) {
      if (typeof arn === 'string' && arn) assertMayInvoke(template, pool, 'cognito-idp', arn, pool.arn);
    }
  }
}

function assertRuleMay(template: Template, rule: Resource): void {
  for (const { Arn, RoleArn } of (rule.properties.Targets ?? []) as Properties[]) {
    const service = String(Arn).split(':')[2];
    if (service === 'lambda') assertMayInvoke(template, rule, 'events', Arn, rule.arn.split('/')[0]!);
    if (service === 'states' && !may(template, RoleArn, 'states:StartExecution', Arn)) {
      throw lacks(rule, 'states:StartExecution', Arn);
    }
  }
}

function usedByMapping(template: Template, mapping: Resource): Used[] {
  const target = functionOf(template, mapping);
  const stream = mapping.properties.EventSourceArn;
  const reads = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map((operation) => ({
    functionArn: target.arn,
    action: `dynamodb:${operation}`,
    resource: stream,
  }));
  return [...reads, ...usedByDestination(target, mapping)];
}

function usedByDestination({ arn }: Resource, { properties }: Resource): Used[] {
  const queue = properties.DestinationConfig?.OnFailure?.Destination;
  return queue ? [{ functionArn: arn, action: 'sqs:SendMessage', resource: queue }] : [];
}

function functionOf(template: Template, { stack, id, properties }: Resource): Resource {
  const name = String(properties.FunctionName);
  const found = template.byArn(name) ?? template.byName('AWS::Lambda::Function', name);
  if (found) return found;
  throw new TemplateError(`${stack}/${id} names the function "${name}", which the template does not contain.`);
}

function may(template: Template, roleArn: string, action: string, resource: string): boolean {
  return policyOf(statementsOf(template, roleArn))({ action, resource });
}

/** A function's own policy must let the service call it; `source` is part of the caller's ARN. */
function assertMayInvoke(
  template: Template,
  caller: Resource,
  service: string,
  functionArn: string,
  source: string,
): void {
  const permitted = template.resources('AWS::Lambda::Permission').some(({ properties }) => {
    const { FunctionName, Principal, SourceArn = source } = properties;
    const names = [functionArn, functionArn.split(':').at(-1)];
    return names.includes(FunctionName) && Principal === `${service}.amazonaws.com` && SourceArn.includes(source);
  });
  if (!permitted) throw lacks(caller, 'lambda:InvokeFunction', functionArn);
}

const lacks = ({ stack, id, type }: Resource, action: string, resource: string): TemplateError =>
  new TemplateError(`${stack}/${id} (${type}) would be denied ${action} on ${resource}: grant it in the CDK app.`);
