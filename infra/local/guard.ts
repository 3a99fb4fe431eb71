import type http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { needsOf, type Surroundings } from './access.ts';
import { policyOf, type Statement } from './policies.ts';

/** Names the operation of an AWS call. */
const TARGET = 'x-amz-target';

export interface Guarded {
  functionName: string;
  statements: Statement[];
  surroundings: Surroundings;
}

/** Why a call of AWS must not leave, or undefined. */
export type Judge = (target: string, body: string) => Error | undefined;

/** Judges by the policies of a function's role. `report` hears of each permission the first time it is used. */
export function judgeOf(guarded: Guarded, report: (action: string, resource: string) => void): Judge {
  const policy = policyOf(guarded.statements);
  const reported = new Set<string>();
  return (target, body) => {
    try {
      for (const alternatives of needsOf(target, JSON.parse(body), guarded.surroundings)) {
        const granted = alternatives.find(policy);
        if (!granted) return accessDenied(guarded.functionName, alternatives[0]!);
        const triple = `${granted.action} ${granted.resource}`;
        if (!reported.has(triple)) report(granted.action, granted.resource);
        reported.add(triple);
      }
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  };
}

const judgeOfNobody: Judge = () => new Error('This call of AWS is made by no function, so nobody can judge it.');

/**
 * Judges every AWS call of this thread as the function that makes it, before it leaves: requests go straight to the
 * engine (a proxy would cost a hop a call). Must run before a bundle is loaded.
 */
export function installGuard(judgeOfCaller: () => Judge | undefined): void {
  // Not imported, as in shared/connection.ts.
  for (const protocol of [process.getBuiltinModule('node:http'), https]) {
    const request = protocol.request.bind(protocol) as (...options: unknown[]) => http.ClientRequest;
    protocol.request = ((...args: unknown[]) => {
      const { host, headers } = optionsOf(args);
      refuseRealCloud(host);
      const judge = judgeOfCaller() ?? judgeOfNobody;
      const outgoing = request(...args);
      judgeAtEnd(outgoing, (body) => {
        const target = outgoing.getHeader(TARGET) ?? listed(headers, TARGET);
        return target === undefined ? undefined : judge(String(target), body);
      });
      return outgoing;
    }) as typeof protocol.request;
  }
  syncBuiltinESMExports();
}

function accessDenied(functionName: string, need: { action: string; resource: string }): Error {
  const message = `${functionName} is not authorized to perform: ${need.action} on resource: ${need.resource}`;
  return Object.assign(new Error(message), { name: 'AccessDeniedException' });
}

/** The SDK writes a request's whole body with `end`, so nothing has left this machine's process when it is judged. */
function judgeAtEnd(outgoing: http.ClientRequest, judge: (body: string) => Error | undefined): void {
  const end = outgoing.end.bind(outgoing) as (...options: unknown[]) => http.ClientRequest;
  outgoing.end = ((chunk?: string | Uint8Array, ...rest: unknown[]) => {
    const body = typeof chunk === 'string' ? chunk : Buffer.from(chunk ?? '{}').toString();
    const refusal = judge(body);
    return refusal ? outgoing.destroy(refusal) : end(chunk, ...rest);
  }) as typeof outgoing.end;
}

function optionsOf(args: unknown[]): { host: string; headers: unknown } {
  const [first, second] = args;
  const url = typeof first === 'string' ? new URL(first) : first instanceof URL ? first : undefined;
  const options = ((url ? second : first) ?? {}) as http.RequestOptions;
  return { host: String(options.hostname ?? options.host ?? url?.hostname ?? ''), headers: options.headers };
}

/** Headers that are given as a list, of names and values or of pairs of them, are written as they are: nobody can ask. */
function listed(headers: unknown, wanted: string): unknown {
  const list = Array.isArray(headers) ? headers.flat() : [];
  const at = list.findIndex((name, index) => index % 2 === 0 && String(name).toLowerCase() === wanted);
  return at < 0 ? undefined : list[at + 1];
}

/** A service without a local endpoint must not be called for real, with the dummy credentials of this machine. */
function refuseRealCloud(host: string): void {
  if (host.endsWith('.amazonaws.com')) {
    throw new Error(`The local cloud has no home for ${host}: serve it in infra/local/aws-endpoint.ts.`);
  }
}
