import { randomUUID } from 'node:crypto';
import type { Running } from '../../infra/local/running.ts';
import { type Answer, send } from './http.ts';

/** A small chain to measure on, and what shoppers do in it, over HTTP. */
export class Shop {
  readonly running: Running;
  #headOffice: string | undefined;

  constructor(running: Running) {
    this.running = running;
  }

  async #cognito(operation: string, body: object): Promise<Record<string, never>> {
    const { status, text } = await send(this.running.awsUrl, {
      method: 'POST',
      body,
      headers: { 'x-amz-target': `AWSCognitoIdentityProviderService.${operation}` },
    });
    if (status !== 200) throw new Error(`${operation}: ${status} ${text}`);
    return JSON.parse(text);
  }

  /** A new person of that role, signed in: the access token. */
  async person(username: string, group: string): Promise<string> {
    const who = { UserPoolId: this.running.outputs.UserPoolId, Username: username };
    const Password = 'Bench-2026-bench';
    await this.#cognito('AdminCreateUser', {
      ...who,
      MessageAction: 'SUPPRESS',
      UserAttributes: [{ Name: 'email', Value: `${username}@example.com` }],
    });
    await this.#cognito('AdminSetUserPassword', { ...who, Password, Permanent: true });
    await this.#cognito('AdminAddUserToGroup', { ...who, GroupName: group });
    const { AuthenticationResult } = await this.#cognito('InitiateAuth', {
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId: this.running.outputs.ScreensClientId,
      AuthParameters: { USERNAME: username, PASSWORD: Password },
    });
    return (AuthenticationResult as unknown as { AccessToken: string }).AccessToken;
  }

  async call(
    method: string,
    path: string,
    token?: string,
    body?: unknown,
    key: string = randomUUID(),
  ): Promise<Answer> {
    return send(`${this.running.url}${path}`, { method, token, body, ...(method === 'POST' ? { key } : {}) });
  }

  /** As `call`, for what has to succeed. */
  async done<T = Record<string, string>>(...call: Parameters<Shop['call']>): Promise<T> {
    const { status, text } = await this.call(...call);
    if (status >= 300) throw new Error(`${call[0]} ${call[1]}: ${status} ${text}`);
    return JSON.parse(text);
  }

  async headOffice(): Promise<string> {
    this.#headOffice ??= await this.person('head-office', 'head-office');
    return this.#headOffice;
  }

  async node(nodeId: string, latitude: number, longitude: number, kind = 'DC'): Promise<void> {
    await this.done('PUT', `/v1/nodes/${nodeId}`, await this.headOffice(), {
      ...{ name: { ko: nodeId }, kind, location: { latitude, longitude }, timeZone: 'Asia/Seoul', hours: [] },
      ...{ abilities: ['SHIP'], answerWithinSeconds: 3600, shipDays: 1, status: 'OPEN' },
    });
  }

  async product(sku: string): Promise<void> {
    await this.done('PUT', `/v1/products/prd-${sku}`, await this.headOffice(), {
      ...{ name: { ko: sku, en: sku }, category: 'bench', storage: 'AMBIENT' },
      variants: [{ sku, price: { amountMinor: 12_900, currency: 'KRW' }, taxRatePercent: 10 }],
    });
  }

  async receive(nodeId: string, lines: { sku: string; units: number }[]): Promise<void> {
    await this.done('POST', `/v1/nodes/${nodeId}/receipts`, await this.headOffice(), { lines });
  }

  /** A cart with one unit, a new address and the delivery choice: its id. */
  async fill(token: string, sku: string): Promise<string> {
    await this.done('PUT', `/v1/carts/current/lines/${sku}`, token, { units: 1 });
    const { addressId } = await this.done('POST', '/v1/customers/me/addresses', token, {
      ...{ recipient: 'Shopper', phone: '+82-2-0000-0000', line1: '1 Sejong-daero', city: 'Seoul' },
      ...{ postalCode: '04524', country: 'KR', location: { latitude: 37.5663, longitude: 126.9779 } },
    });
    const delivery = { choice: 'HOME_DELIVERY', addressId };
    const { cartId } = await this.done('PUT', '/v1/carts/current/delivery', token, delivery);
    return cartId!;
  }

  /** A whole checkout as a client does it: cart, address, delivery choice, order, payment. */
  async checkout(token: string, sku: string): Promise<'sold' | 'refused'> {
    const cartId = await this.fill(token, sku);
    const placed = await this.call('POST', '/v1/orders', token, { cartId }, `place-${cartId}`);
    if (placed.status === 409) return 'refused';
    if (placed.status !== 201) throw new Error(`place: ${placed.status} ${placed.text}`);
    const { orderId } = JSON.parse(placed.text);
    const method = { kind: 'CARD', token: 'tok_approve' };
    const paid = await this.done('POST', `/v1/orders/${orderId}/payments`, token, { method }, `pay-${orderId}`);
    if (paid.status !== 'AUTHORIZED') throw new Error(`pay: ${JSON.stringify(paid)}`);
    return 'sold';
  }
}
