import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sourceFiles } from './source.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const FOLDERS = ['functions', 'shared', 'infra', 'test', 'docs', 'examples'];
const pages = ['', ...FOLDERS]
  .flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: folder !== '', encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  .filter((path) => path.endsWith('.md'))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

/** What a pattern's first group finds on all pages, with the page it stands on. */
const found = (pattern: RegExp): { path: string; what: string }[] =>
  pages.flatMap(({ path, text }) => [...text.matchAll(pattern)].map(([, what]) => ({ path, what: what! })));

const said = ({ path, what }: { path: string; what: string }): string => `${path}: ${what}`;

describe('what is written down', () => {
  it('links to files that are there', () => {
    const links = found(/\]\(([^)#\s]+)[^)]*\)/g).filter(({ what }) => !/^https?:/.test(what));
    expect(links.length).toBeGreaterThan(20);
    expect(links.filter(({ path, what }) => !existsSync(join(ROOT, dirname(path), what))).map(said)).toEqual([]);
  });

  it('names files that are there', () => {
    const files = found(/`((?:functions|shared|infra|test|docs|examples)\/[\w./-]+)`/g);
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter(({ what }) => !existsSync(join(ROOT, what))).map(said)).toEqual([]);
  });

  it('names commands that npm knows', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const commands = found(/npm run ([\w:-]*\w)/g);
    expect(commands.length).toBeGreaterThan(10);
    expect(commands.filter(({ what }) => !(what in scripts)).map(said)).toEqual([]);
  });

  it('speaks of rules and decisions that are written down', () => {
    const rules = readFileSync(join(ROOT, 'docs', 'design-rules.md'), 'utf8');
    const decisions = readFileSync(join(ROOT, 'docs', 'adr', 'README.md'), 'utf8');
    const texts = [...pages, ...sourceFiles(...FOLDERS)].map(({ text }) => text);
    const mentions = [...new Set(texts.flatMap((text) => text.match(/\b(rule|ADR) [0-9]+/g) ?? []))];
    expect(mentions.length).toBeGreaterThan(15);
    const isWritten = (mention: string): boolean =>
      new RegExp(`^${mention.split(' ')[1]}\\. `, 'm').test(mention.startsWith('ADR') ? decisions : rules);
    expect(mentions.filter((mention) => !isWritten(mention))).toEqual([]);
  });
});
