import { BlockList, isIP } from 'node:net';

/** Says whether an event (any JSON value) matches. */
export type Matcher = (event: unknown) => boolean;

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type Fields = Record<string, unknown>;

/**
 * Compiles an EventBridge event pattern; event-source filters of Lambda speak the same language.
 * Understands exact values, prefix, suffix, equals-ignore-case, wildcard, anything-but (and its variants), numeric,
 * exists, cidr, `$or` and nesting. An array in the event matches when one of its elements does.
 *
 * @throws Error that names the path, for a pattern EventBridge would refuse too.
 */
export function compilePattern(pattern: unknown): Matcher {
  return compileObject(pattern, []);
}

function compileObject(pattern: unknown, path: string[]): Matcher {
  if (!isFields(pattern)) throw invalid(path, 'must be an object');
  const keys = Object.keys(pattern);
  if (keys.length === 0) throw invalid(path, 'must not be empty');
  // Leaves first: they are cheaper than descending, and most events fail on one of them.
  keys.sort((a, b) => Number(!Array.isArray(pattern[a])) - Number(!Array.isArray(pattern[b])));
  const tests = keys.map((key) => compileField(key, pattern[key], [...path, key]));
  return (event) => isFields(event) && tests.every((test) => test(event));
}

function compileField(key: string, value: unknown, path: string[]): (event: Fields) => boolean {
  if (key === '$or') return compileOr(value, path);
  if (Array.isArray(value)) {
    if (value.length === 0) throw invalid(path, 'must not be an empty array');
    const alternatives = value.map((alternative) => compileLeaf(alternative, path));
    return (event) => {
      const found = event[key];
      return alternatives.some((matches) => matches(found));
    };
  }
  const nested = compileObject(value, path);
  const onlyAbsence = matchesAbsence(value);
  return (event) => {
    const found = event[key];
    if (Array.isArray(found)) return found.some(nested);
    return found === undefined || found === null ? onlyAbsence && nested({}) : nested(found);
  };
}

/** A nested pattern may be satisfied by a missing parent when it asks for nothing but missing fields. */
function matchesAbsence(pattern: unknown): boolean {
  if (Array.isArray(pattern)) return pattern.some((leaf) => isFields(leaf) && leaf.exists === false);
  return isFields(pattern) && Object.values(pattern).every(matchesAbsence);
}

function compileOr(value: unknown, path: string[]): Matcher {
  if (!Array.isArray(value) || value.length < 2) throw invalid(path, 'must be an array of at least two patterns');
  const branches = value.map((branch) => compileObject(branch, path));
  return (event) => branches.some((matches) => matches(event));
}

/** Lifts a test of one scalar to a field, which may be missing, an array or (never matching) an object. */
function compileLeaf(leaf: unknown, path: string[]): Matcher {
  if (!isFields(leaf)) return onScalars(compileExact(leaf, path));
  const keys = Object.keys(leaf);
  const operator = keys[0];
  if (operator === undefined || keys.length > 1) throw invalid(path, 'must hold exactly one operator');
  const operand = leaf[operator];
  if (operator === 'exists') {
    if (typeof operand !== 'boolean') throw invalid(path, 'exists takes true or false');
    const exists = onScalars(() => true);
    return operand ? exists : (found) => !exists(found);
  }
  return onScalars(compileOperator(operator, operand, path));
}

function onScalars(test: (value: Json) => boolean): Matcher {
  const matches = (found: unknown): boolean => {
    if (found === undefined) return false;
    if (Array.isArray(found)) return found.some(matches);
    return typeof found === 'object' && found !== null ? false : test(found as Json);
  };
  return matches;
}

function compileExact(value: unknown, path: string[]): (found: Json) => boolean {
  if (value !== null && !['string', 'number', 'boolean'].includes(typeof value))
    throw invalid(path, 'is no JSON scalar');
  return (found) => found === value;
}

function compileOperator(operator: string, operand: unknown, path: string[]): (found: Json) => boolean {
  switch (operator) {
    case 'anything-but':
      return compileAnythingBut(operand, path);
    case 'numeric':
      return compileNumeric(operand, path);
    case 'cidr':
      return compileCidr(operand, path);
    default:
      return compileText(operator, operand, path);
  }
}

function compileText(operator: string, operand: unknown, path: string[]): (found: Json) => boolean {
  const ignoresCase = isFields(operand) && (operator === 'prefix' || operator === 'suffix');
  const raw = ignoresCase ? operand['equals-ignore-case'] : operand;
  if (typeof raw !== 'string') throw invalid(path, `${operator} takes a string`);
  const wanted = ignoresCase ? raw.toLowerCase() : raw;
  const text = (test: (found: string) => boolean) => (found: Json) =>
    typeof found === 'string' && test(ignoresCase ? found.toLowerCase() : found);
  switch (operator) {
    case 'prefix':
      return text((found) => found.startsWith(wanted));
    case 'suffix':
      return text((found) => found.endsWith(wanted));
    case 'equals-ignore-case': {
      const lower = wanted.toLowerCase();
      return text((found) => found.toLowerCase() === lower);
    }
    case 'wildcard': {
      const expression = wildcard(wanted, path);
      return text((found) => expression.test(found));
    }
    default:
      throw invalid(path, `has the unknown operator ${operator}`);
  }
}

function compileAnythingBut(operand: unknown, path: string[]): (found: Json) => boolean {
  const operator = isFields(operand) ? Object.keys(operand)[0] : undefined;
  const values = isFields(operand) && operator !== undefined ? operand[operator] : operand;
  const refused = (Array.isArray(values) ? values : [values]).map((value) =>
    operator === undefined ? compileExact(value, path) : compileText(operator, value, path),
  );
  if (refused.length === 0) throw invalid(path, 'anything-but takes at least one value');
  return (found) => !refused.some((matches) => matches(found));
}

const COMPARISONS: Record<string, (a: number, b: number) => boolean> = {
  '=': (a, b) => a === b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

function compileNumeric(operand: unknown, path: string[]): (found: Json) => boolean {
  if (!Array.isArray(operand) || operand.length === 0 || operand.length > 4 || operand.length % 2 !== 0)
    throw invalid(path, 'numeric takes one or two pairs of comparison and number');
  const tests: ((found: number) => boolean)[] = [];
  for (let at = 0; at < operand.length; at += 2) {
    const compare = COMPARISONS[operand[at]];
    const bound: unknown = operand[at + 1];
    if (compare === undefined || typeof bound !== 'number')
      throw invalid(path, 'numeric takes = < <= > >= and a number');
    tests.push((found) => compare(found, bound));
  }
  return (found) => typeof found === 'number' && tests.every((test) => test(found));
}

function compileCidr(operand: unknown, path: string[]): (found: Json) => boolean {
  const [network = '', bits = ''] = typeof operand === 'string' ? operand.split('/') : [];
  const version = isIP(network);
  if (version === 0 || !/^\d{1,3}$/.test(bits)) throw invalid(path, 'cidr takes an address block such as 10.0.0.0/24');
  const block = new BlockList();
  block.addSubnet(network, Number(bits), version === 6 ? 'ipv6' : 'ipv4');
  return (found) => {
    const family = typeof found === 'string' ? isIP(found) : 0;
    return family === version && block.check(found as string, family === 6 ? 'ipv6' : 'ipv4');
  };
}

/** `*` stands for any run of characters; `\*` and `\\` for themselves. */
function wildcard(text: string, path: string[]): RegExp {
  if (/(^|[^\\])(\\\\)*\*\*/.test(text)) throw invalid(path, 'wildcard must not hold two stars in a row');
  const source = text.replace(/\\([*\\])|(\*)|[\s\S]/g, (char, escaped?: string, star?: string) =>
    star ? '[\\s\\S]*' : (escaped ?? char).replace(/[.*+?^${}()|[\]\\/-]/, '\\$&'),
  );
  return new RegExp(`^${source}$`);
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const invalid = (path: string[], reason: string): Error =>
  new Error(`Event pattern is not valid: ${path.length > 0 ? path.join('.') : 'the pattern'} ${reason}`);
