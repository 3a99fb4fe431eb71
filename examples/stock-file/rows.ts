import { createReadStream } from 'node:fs';

/** A file as the API takes it: whole rows, some at a time, with the line that they begin at. */
export interface Chunk {
  firstLine: number;
  text: string;
  /** Rows in it, as far as anybody can tell without reading them. */
  rows: number;
}

const ROWS_MAX = 1_000;
/** Of three bytes each at most, and twice that in JSON: it stays below what a request may hold. */
const CHARACTERS_MAX = 40_000;
/** A quote that is not closed within so many lines is a slip of the pen; the API sees it in the same way. */
const ROW_LINES_MAX = 16;
const BREAK = /\r\n|\n|\r/;

/** Lines of a file, read as they are asked for. */
export async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of createReadStream(file, 'utf8')) {
    rest += piece;
    // A return at the end of what was read may be the first half of a line break.
    const end = rest.endsWith('\r') ? rest.length - 1 : rest.length;
    const lines = rest.slice(0, end).split(BREAK);
    rest = lines.pop()! + rest.slice(end);
    yield* lines;
  }
  if (rest !== '') yield* rest.split(BREAK).slice(0, rest.endsWith('\r') ? -1 : undefined);
}

const quotesIn = (line: string): number => line.split('"').length - 1;

/** The lines of each row: several where a quote is open at a line's end. */
async function* rowsOf(lines: AsyncIterable<string>, isQuoted: boolean): AsyncGenerator<string[]> {
  let row: string[] = [];
  let quotes = 0;
  for await (const line of lines) {
    row.push(line);
    quotes += isQuoted ? quotesIn(line) : 0;
    if (quotes % 2 === 1 && row.length < ROW_LINES_MAX) continue;
    yield row;
    row = [];
    quotes = 0;
  }
  if (row.length > 0) yield row;
}

/** What a file holds from a line on, cut between rows. */
export async function* chunksOf(
  lines: AsyncIterable<string>,
  firstLine: number,
  isQuoted: boolean,
): AsyncGenerator<Chunk> {
  let start = firstLine;
  let kept: string[] = [];
  let rows = 0;
  let characters = 0;
  const chunk = (): Chunk => ({ firstLine: start, text: kept.join('\n'), rows });
  for await (const row of rowsOf(lines, isQuoted)) {
    const length = row.reduce((sum, line) => sum + line.length + 1, 0);
    if (rows > 0 && (rows >= ROWS_MAX || characters + length > CHARACTERS_MAX)) {
      yield chunk();
      start += kept.length;
      kept = [];
      rows = 0;
      characters = 0;
    }
    kept.push(...row);
    rows += row.join('').trim() === '' ? 0 : 1;
    characters += length;
  }
  if (rows > 0) yield chunk();
}
