import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { FunctionError } from '../../infra/local/functions.ts';
import { startGateway, type TokenVerifier } from '../../infra/local/gateway.ts';
import { type Properties, resolveStacks } from '../../infra/local/template.ts';
import { options } from './assembly.ts';

const issuer = 'https://cognito-idp.ap-northeast-2.amazonaws.com/pool';
const functionArn = 'arn:aws:lambda:ap-northeast-2:000000000000:function:Shop-Api';

const route = (RouteKey: string, rest: Properties = {}) => ({
  Type: 'AWS::ApiGatewayV2::Route',
  Properties: {
    ApiId: { Ref: 'Api' },
    RouteKey,
    Target: { 'Fn::Join': ['/', ['integrations', { Ref: 'Integration' }]] },
    ...rest,
  },
});
const jwt = (AuthorizationScopes: string[] = []) => ({
  AuthorizationType: 'JWT',
  AuthorizerId: { Ref: 'Jwt' },
  AuthorizationScopes,
});

function templateOf(
  routes: ReturnType<typeof route>[],
  api: Properties = {},
  integration: Properties = {},
  stage = '$default',
) {
  const Resources = {
    Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { ProtocolType: 'HTTP', ...api } },
    Stage: { Type: 'AWS::ApiGatewayV2::Stage', Properties: { ApiId: { Ref: 'Api' }, StageName: stage } },
    Integration: {
      Type: 'AWS::ApiGatewayV2::Integration',
      Properties: {
        IntegrationType: 'AWS_PROXY',
        IntegrationUri: functionArn,
        PayloadFormatVersion: '2.0',
        ...integration,
      },
    },
    Jwt: {
      Type: 'AWS::ApiGatewayV2::Authorizer',
      Properties: {
        AuthorizerType: 'JWT',
        IdentitySource: ['$request.header.Authorization'],
        JwtConfiguration: { Issuer: issuer, Audience: ['web'] },
      },
    },
    ...Object.fromEntries(routes.map((each, index) => [`Route${index}`, each])),
  };
  return { ...resolveStacks([{ name: 'Shop', template: { Resources } }], options), assetPath: () => '' };
}

interface Setting {
  routes: ReturnType<typeof route>[];
  api?: Properties;
  integration?: Properties;
  stage?: string;
  port?: number;
  answer?: (event: Properties) => unknown;
  verify?: TokenVerifier['verify'];
}

const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
  vi.restoreAllMocks();
});

async function gateway(setting: Setting) {
  const events: Properties[] = [];
  const started = await startGateway({
    template: templateOf(setting.routes, setting.api, setting.integration, setting.stage),
    functions: {
      invoke: async (_arn, event) => {
        events.push(event as Properties);
        return setting.answer ? setting.answer(event as Properties) : { statusCode: 204 };
      },
    },
    identity: { verify: setting.verify ?? (() => Promise.reject(new Error('no token was expected'))) },
    accountId: options.account,
    port: setting.port ?? 0,
    host: '127.0.0.1',
  });
  open.push(started.close);
  return { ...started, events, call: (path: string, init?: RequestInit) => fetch(started.url + path, init) };
}

describe('a request', () => {
  test('reaches the function as an event of payload format 2.0', async () => {
    const { call, events, url } = await gateway({ routes: [route('POST /v1/carts/{cartId}/lines/{line}')] });
    await call('/v1/carts/c%201/lines/한?tag=a&tag=b%2C&q=%20', {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: 'a=1; b=2', 'X-Channel': 'web', 'user-agent': 'till' },
      body: '{"units":1}',
    });
    expect(events).toEqual([
      {
        version: '2.0',
        routeKey: 'POST /v1/carts/{cartId}/lines/{line}',
        rawPath: '/v1/carts/c 1/lines/한',
        rawQueryString: 'tag=a&tag=b%2C&q=%20',
        cookies: ['a=1', 'b=2'],
        headers: expect.objectContaining({ 'content-type': 'application/json', 'x-channel': 'web' }),
        queryStringParameters: { tag: 'a,b,', q: ' ' },
        pathParameters: { cartId: 'c 1', line: '한' },
        requestContext: {
          accountId: '000000000000',
          apiId: expect.stringMatching(/^[a-z0-9]{10}$/),
          domainName: url.slice('http://'.length),
          domainPrefix: expect.any(String),
          http: {
            method: 'POST',
            path: '/v1/carts/c 1/lines/한',
            protocol: 'HTTP/1.1',
            sourceIp: '127.0.0.1',
            userAgent: 'till',
          },
          requestId: expect.any(String),
          routeKey: 'POST /v1/carts/{cartId}/lines/{line}',
          stage: '$default',
          time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
          timeEpoch: expect.any(Number),
        },
        body: '{"units":1}',
        isBase64Encoded: false,
      },
    ]);
    expect(events[0]?.headers).not.toHaveProperty('cookie');
  });

  test('without body, query or cookies has none in the event', async () => {
    const { call, events } = await gateway({ routes: [route('GET /health')] });
    await call('/health');
    for (const absent of ['body', 'queryStringParameters', 'cookies', 'pathParameters']) {
      expect(events[0]).not.toHaveProperty(absent);
    }
    expect(events[0]?.requestContext).not.toHaveProperty('authorizer');
  });

  test('with bytes in the body carries them as base64', async () => {
    const { call, events } = await gateway({ routes: [route('POST /files')] });
    const bytes = new Uint8Array([0, 255, 254]);
    await call('/files', { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: bytes });
    expect(events[0]).toMatchObject({ isBase64Encoded: true, body: 'AP/+' });
  });

  test('cannot smuggle a prototype in through its query', async () => {
    const { call, events } = await gateway({ routes: [route('GET /x')] });
    await call('/x?__proto__=1&constructor=2');
    expect(Object.entries(events[0]?.queryStringParameters)).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
  });

  test.each([
    ['GET', '/pets/dog/1', 'GET /pets/dog/1', undefined],
    ['GET', '/pets/dog/2', 'GET /pets/dog/{id}', { id: '2' }],
    ['POST', '/pets/dog/1', 'ANY /pets/dog/1', undefined],
    ['GET', '/pets/cat/3', 'GET /pets/{proxy+}', { proxy: 'cat/3' }],
    ['PUT', '/pets/cat/3', 'ANY /{proxy+}', { proxy: 'pets/cat/3' }],
    ['DELETE', '/', '$default', undefined],
    ['GET', '/orders:search', 'GET /orders:search', undefined],
  ])('for %s %s takes the most specific route', async (method, path, routeKey, pathParameters) => {
    const keys = [
      '$default',
      'ANY /{proxy+}',
      'GET /pets/{proxy+}',
      'GET /pets/dog/{id}',
      'GET /pets/dog/1',
      'ANY /pets/dog/1',
      'GET /orders:search',
    ];
    const { call, events } = await gateway({ routes: keys.map((key) => route(key)) });
    await call(path, { method });
    expect(events[0]?.routeKey).toBe(routeKey);
    expect(events[0]?.pathParameters).toEqual(pathParameters);
  });

  test('with a long path parameter is still routed', async () => {
    const { call, events } = await gateway({ routes: [route('GET /orders/{id}')] });
    await call(`/orders/${'x'.repeat(2000)}`);
    expect(events[0]?.pathParameters.id).toHaveLength(2000);
  });

  test('to a stage with a name is found below that name only', async () => {
    const { call, events } = await gateway({ routes: [route('GET /orders/{id}')], stage: 'dev' });
    expect((await call('/dev/orders/1')).status).toBe(204);
    expect(events[0]).toMatchObject({ rawPath: '/dev/orders/1', pathParameters: { id: '1' } });
    expect((await call('/orders/1')).status).toBe(404);
    expect((await call('/develop/orders/1')).status).toBe(404);
  });
});

describe('the answer', () => {
  const answered = async (answer: unknown) => {
    const { call } = await gateway({ routes: [route('GET /x')], answer: () => answer });
    return call('/x');
  };

  test('has the status, headers, cookies and body of the function', async () => {
    const response = await answered({
      statusCode: 201,
      headers: { 'Content-Type': 'application/json', ETag: '"1"', 'Content-Length': '99' },
      cookies: ['a=1; Secure', 'b=2'],
      body: '{"상품":1}',
    });
    expect(response.status).toBe(201);
    expect(response.headers.get('etag')).toBe('"1"');
    expect(response.headers.getSetCookie()).toEqual(['a=1; Secure', 'b=2']);
    expect(await response.json()).toEqual({ 상품: 1 });
  });

  test('that is base64 is sent as bytes', async () => {
    const response = await answered({ statusCode: 200, isBase64Encoded: true, body: 'AP/+' });
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array([0, 255, 254]));
  });

  test('without a status code is the JSON body of a 200', async () => {
    const response = await answered({ units: 2 });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await response.json()).toEqual({ units: 2 });
  });

  test.each([
    ['has no usable status code', () => ({ statusCode: 'many' })],
    ['has a header that HTTP cannot carry', () => ({ statusCode: 200, headers: { 'x-bad': 'a\nb' } })],
    [
      'is an error of the function',
      () => Promise.reject(new FunctionError({ errorType: 'Error', errorMessage: 'table x is missing', trace: [] })),
    ],
    ['is a bug of the gateway', () => Promise.reject(new Error('table x is missing'))],
  ])('that %s becomes a 500 which tells nothing', async (_, answer) => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const { call } = await gateway({ routes: [route('GET /x')], answer });
    const response = await call('/x');
    expect(response.status).toBe(500);
    expect(await response.text()).toBe('{"message":"Internal Server Error"}');
  });

  test('that does not come in the time of the integration is a 503', async () => {
    const { call } = await gateway({
      routes: [route('GET /x')],
      integration: { TimeoutInMillis: 60 },
      answer: () => new Promise(() => {}),
    });
    const response = await call('/x');
    expect([response.status, await response.text()]).toEqual([503, '{"message":"Service Unavailable"}']);
  });
});

describe('a request is refused', () => {
  test('with 404 when there is no such route or method', async () => {
    const { call, events } = await gateway({ routes: [route('GET /x')] });
    for (const [path, method] of [
      ['/y', 'GET'],
      ['/x', 'POST'],
      ['/x/', 'GET'],
      ['/X', 'GET'],
    ] as const) {
      const response = await call(path, { method });
      expect([path, response.status, await response.text()]).toEqual([path, 404, '{"message":"Not Found"}']);
    }
    expect(events).toEqual([]);
  });

  test('with 400 when its path is not valid', async () => {
    const { call } = await gateway({ routes: [route('GET /orders/{id}')] });
    expect((await call('/orders/%E0%A4%A')).status).toBe(400);
  });

  test('with 413 when its body is over 10 MB, announced or not', async () => {
    const { call, events, url } = await gateway({ routes: [route('POST /x')] });
    const announced = await call('/x', { method: 'POST', body: 'x'.repeat(10 * 1024 * 1024 + 1) }).then(
      async (response) => [response.status, await response.text()],
      () => 'connection ended',
    );
    expect([[413, '{"message":"Request Entity Too Large"}'], 'connection ended']).toContainEqual(announced);
    const status = await new Promise<number | undefined>((resolve) => {
      const streamed = request(`${url}/x`, { method: 'POST' }, (response) => resolve(response.statusCode));
      streamed.on('error', () => {});
      const chunk = Buffer.alloc(1024 * 1024);
      for (let megabytes = 0; megabytes < 11; megabytes++) streamed.write(chunk);
    });
    expect(status).toBe(413);
    expect(events).toEqual([]);
  });

  test('and one whose client hangs up does no harm', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { call, url } = await gateway({ routes: [route('POST /x')] });
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf');
    await new Promise((connected) => socket.once('connect', connected));
    socket.destroy();
    expect((await call('/x', { method: 'POST', body: 'whole' })).status).toBe(204);
    expect(logged).not.toHaveBeenCalled();
  });
});

describe('a JWT authorizer', () => {
  const soon = () => Math.floor(Date.now() / 1000) + 60;
  const bearer = { headers: { authorization: 'Bearer token-1' } };

  test('hands verified claims to the function as text', async () => {
    const asked: unknown[] = [];
    const exp = soon();
    const { call, events } = await gateway({
      routes: [route('GET /x', jwt(['ieum/order']))],
      verify: async (token, expected) => {
        asked.push([token, expected]);
        return {
          sub: 'u1',
          exp,
          'cognito:groups': ['staff', 'store'],
          address: { city: 'Seoul' },
          active: true,
          scope: 'ieum/order openid',
        };
      },
    });
    expect((await call('/x', bearer)).status).toBe(204);
    expect(asked).toEqual([['token-1', expect.objectContaining({ issuer, audience: ['web'] })]]);
    expect(events[0]?.requestContext.authorizer).toEqual({
      jwt: {
        claims: {
          sub: 'u1',
          exp: String(exp),
          'cognito:groups': '[staff store]',
          address: 'map[city:Seoul]',
          active: 'true',
          scope: 'ieum/order openid',
        },
        scopes: ['ieum/order', 'openid'],
      },
    });
  });

  test('verifies each token once until it expires', async () => {
    let verified = 0;
    let exp = soon();
    const verify = async () => {
      verified++;
      return { exp };
    };
    const { call } = await gateway({ routes: [route('GET /x', jwt())], verify });
    await call('/x', bearer);
    await call('/x', bearer);
    expect(verified).toBe(1);
    exp = 1;
    await call('/x', { headers: { authorization: 'Bearer token-2' } });
    await call('/x', { headers: { authorization: 'Bearer token-2' } });
    expect(verified).toBe(3);
  });

  test.each([
    ['no token', {}, 'Bearer'],
    ['an empty token', { authorization: 'Bearer ' }, 'Bearer'],
    [
      'an invalid token',
      { authorization: 'Bearer forged' },
      `Bearer scope="" error="invalid_token" error_description="the 'token' is no good"`,
    ],
  ])('answers %s with 401 and a challenge', async (_, headers, challenge) => {
    const { call, events } = await gateway({
      routes: [route('GET /x', jwt())],
      verify: () => Promise.reject(new Error('the "token" is no good')),
    });
    const response = await call('/x', { headers: headers as Record<string, string> });
    expect([response.status, await response.text()]).toEqual([401, '{"message":"Unauthorized"}']);
    expect(response.headers.get('www-authenticate')).toBe(challenge);
    expect(events).toEqual([]);
  });

  test('answers a token without one of the scopes of the route with 403', async () => {
    const { call, events } = await gateway({
      routes: [route('GET /x', jwt(['ieum/order', 'ieum/admin']))],
      verify: async (token) => ({ exp: soon(), scope: token }),
    });
    const response = await call('/x', { headers: { authorization: 'Bearer ieum/ord' } });
    expect([response.status, await response.text()]).toEqual([403, '{"message":"Forbidden"}']);
    expect(response.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
    expect((await call('/x', { headers: { authorization: 'Bearer ieum/admin' } })).status).toBe(204);
    expect(events).toHaveLength(1);
  });
});

describe('CORS', () => {
  const api = {
    CorsConfiguration: {
      AllowOrigins: ['https://shop.example'],
      AllowMethods: ['GET', 'PUT'],
      AllowHeaders: ['authorization'],
      ExposeHeaders: ['etag'],
      MaxAge: 600,
      AllowCredentials: true,
    },
  };

  test('answers preflight requests without asking a function', async () => {
    const { call, events } = await gateway({ routes: [route('ANY /{proxy+}')], api });
    const headers = { origin: 'https://shop.example', 'access-control-request-method': 'PUT' };
    const response = await call('/x', { method: 'OPTIONS', headers });
    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': 'https://shop.example',
      'access-control-allow-methods': 'GET,PUT',
      'access-control-allow-headers': 'authorization',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '600',
    });
    expect(events).toEqual([]);
  });

  test('marks answers and refusals for its origins only', async () => {
    const { call } = await gateway({ routes: [route('GET /x')], api });
    const originOf = async (path: string, origin: string) =>
      (await call(path, { headers: { origin } })).headers.get('access-control-allow-origin');
    expect(await originOf('/x', 'https://shop.example')).toBe('https://shop.example');
    expect(await originOf('/unknown', 'https://shop.example')).toBe('https://shop.example');
    expect(await originOf('/x', 'https://evil.example')).toBeNull();
  });
});

describe('the gateway does not start', () => {
  test('on a port that is taken, and says what to do', async () => {
    const first = await gateway({ routes: [route('GET /x')] });
    const port = Number(new URL(first.url).port);
    await expect(gateway({ routes: [route('GET /x')], port })).rejects.toThrow(
      new RegExp(`Port ${port} of 127.0.0.1 is taken. Stop the program that listens there`),
    );
  });

  test.each<[string, Setting, RegExp]>([
    [
      'an HTTP integration',
      { routes: [route('GET /x')], integration: { IntegrationType: 'HTTP_PROXY' } },
      /Shop\/Integration.*HTTP_PROXY/,
    ],
    [
      'payload format 1.0',
      { routes: [route('GET /x')], integration: { PayloadFormatVersion: '1.0' } },
      /payload format 2.0 only/,
    ],
    ['IAM authorization', { routes: [route('GET /x', { AuthorizationType: 'AWS_IAM' })] }, /Shop\/Route0.*AWS_IAM/],
    [
      'a route without integration',
      { routes: [route('GET /x', { Target: 'integrations/none' })] },
      /"GET \/x" has no integration/,
    ],
  ])('with %s, and names the resource', async (_, setting, message) => {
    await expect(gateway(setting)).rejects.toThrow(message);
  });
});
