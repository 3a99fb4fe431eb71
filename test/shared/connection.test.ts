import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { type Connection, keptConnections } from '../../shared/connection.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** A server, and what sends a body to it. */
const talkingTo = async (answer: RequestListener, timeoutMs = 1_000) => {
  const server = createServer(answer);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  open.push(
    () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  const sockets = new Set<unknown>();
  server.on('connection', (socket) => sockets.add(socket));
  const connection: Connection = keptConnections(timeoutMs);
  const send = (body: string) =>
    connection.send({
      ...{ protocol: 'http:', hostname: '127.0.0.1', port, method: 'POST', path: '/' },
      headers: ['host', `127.0.0.1:${port}`, 'content-length', String(Buffer.byteLength(body))],
      body,
    });
  return { send, sockets };
};

it('sends a body, hears the whole answer, and keeps its connection', async () => {
  const { send, sockets } = await talkingTo(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const [first = '', ...rest] = Buffer.concat(chunks).toString();
    response.writeHead(400).write(first);
    setTimeout(() => response.end(rest.join('')), 10);
  });
  expect(await send('이음 joins')).toEqual({ status: 400, text: '이음 joins' });
  expect(await send('again')).toEqual({ status: 400, text: 'again' });
  expect(sockets.size).toBe(1);
});

it('gives up on who does not answer', async () => {
  const { send } = await talkingTo(() => {}, 50);
  const later = new Promise((resolve) => setTimeout(resolve, 20)).then(() => send('{}'));
  await expect(send('{}')).rejects.toMatchObject({ name: 'TimeoutError' });
  await expect(later).rejects.toMatchObject({ name: 'TimeoutError' });
  await expect(send('{}')).rejects.toMatchObject({ name: 'TimeoutError' });
});

it('gives up on an answer without an end, and on no other', async () => {
  const { send } = await talkingTo((request, response) => {
    request.resume();
    if (request.headers['content-length'] === '2') return void response.end('whole');
    const drip = setInterval(() => response.write('.'), 10);
    response.once('close', () => clearInterval(drip));
  }, 100);
  const endless = send('drip');
  expect((await send('{}')).text).toBe('whole');
  await expect(endless).rejects.toMatchObject({ name: 'TimeoutError' });
  expect((await send('{}')).text).toBe('whole');
});

it('takes half an answer for none', async () => {
  const { send } = await talkingTo((_, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('half');
    setTimeout(() => response.destroy(), 10);
  });
  await expect(send('{}')).rejects.toMatchObject({ code: 'ECONNRESET' });
});

it('says that nobody is there', async () => {
  const refused = keptConnections().send({
    ...{ protocol: 'http:', hostname: '127.0.0.1', port: 1, method: 'POST', path: '/', headers: [], body: '{}' },
  });
  await expect(refused).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
