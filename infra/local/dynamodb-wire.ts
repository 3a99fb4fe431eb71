const DYNAMODB = 'DynamoDB_20120810';
const STREAMS = 'DynamoDBStreams_20120810';

/**
 * One call to a DynamoDB endpoint on this machine, without the 80 ms that loading the SDK costs a boot.
 * Rejects with an Error whose `name` is AWS's error name.
 */
export async function callDynamoDb<Answer>(endpoint: string, operation: string, input: unknown): Promise<Answer> {
  return call(endpoint, `${DYNAMODB}.${operation}`, input);
}

/** The same for DynamoDB Streams. */
export async function callDynamoDbStreams<Answer>(
  endpoint: string,
  operation: string,
  input: unknown,
): Promise<Answer> {
  return call(endpoint, `${STREAMS}.${operation}`, input);
}

async function call<Answer>(endpoint: string, target: string, input: unknown): Promise<Answer> {
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': target,
      // Local engines want a signature to be there; none checks it.
      'x-amz-date': '20250101T000000Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=local/20250101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=local',
    },
    body: JSON.stringify(input),
  });
  const body = (await answer.json()) as { __type?: string; message?: string; Message?: string };
  if (answer.ok) return body as Answer;
  const error = new Error(`${target}: ${body.message ?? body.Message ?? answer.status}`);
  error.name = body.__type?.split('#').at(-1) ?? 'Error';
  throw error;
}
