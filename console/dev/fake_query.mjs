// A small reading of the search language (docs/formats/query.md) for the development server: enough to
// develop the console against, with errors that name a character. The real one is src/query.

export class QueryError extends Error {
  constructor(message, position) {
    super(message);
    this.position = position;
  }
}

const kWord = /[A-Za-z0-9_.\-/@*\u0080-\uffff]+/y;
const kSpaces = /\s*/y;

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  skip() {
    kSpaces.lastIndex = this.at;
    kSpaces.test(this.text);
    this.at = kSpaces.lastIndex;
  }

  peek() {
    return this.text[this.at] ?? '';
  }

  fail(message, at = this.at) {
    throw new QueryError(message, [...this.text.slice(0, at)].length);
  }

  keyword(word) {
    this.skip();
    const rest = this.text.slice(this.at);
    if (!rest.startsWith(word) || /[A-Za-z0-9_:]/.test(rest[word.length] ?? '')) return false;
    this.at += word.length;
    return true;
  }

  until(end, what) {
    const start = this.at++;
    let out = '';
    for (; this.at < this.text.length; ++this.at) {
      const c = this.text[this.at];
      if (c === '\\' && this.at + 1 < this.text.length) {
        out += end === '/' && this.text[this.at + 1] !== '/' ? '\\' : '';
        out += this.text[++this.at];
      } else if (c === end) {
        ++this.at;
        return out;
      } else {
        out += c;
      }
    }
    return this.fail(`expected ${end} at the end of this ${what}`, start);
  }

  word() {
    kWord.lastIndex = this.at;
    const match = kWord.exec(this.text);
    if (!match) return '';
    this.at = kWord.lastIndex;
    return match[0];
  }
}

const textOf = (value) => (typeof value === 'string' ? value : JSON.stringify(value));

// What the rest of a dotted name reaches inside of JSON fields; lists are gone through.
function insideJson(value, path) {
  if (path.length === 0) return value === undefined || value === null ? [] : [textOf(value)];
  if (Array.isArray(value)) return value.flatMap((each) => insideJson(each, path));
  if (value === null || typeof value !== 'object') return [];
  return path[0] in value ? insideJson(value[path[0]], path.slice(1)) : [];
}

function valuesOf(row, field) {
  if (field === null) return [row.body, ...Object.values(row.fields).map(textOf)];
  const all = { ...row.resource, ...row.fields, body: row.body };
  if (field in all) return [textOf(all[field])];
  const keys = Object.keys(all).filter((key) => key.endsWith(`.${field}`));
  if (keys.length > 0) return keys.map((key) => textOf(all[key]));
  return insideJson(all, field.split('.'));
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function phraseTest(text, prefix) {
  const before = /^\w/.test(text) ? '(?<![A-Za-z0-9_])' : '';
  const after = !prefix && /\w$/.test(text) ? '(?![A-Za-z0-9_])' : '';
  const pattern = new RegExp(before + escaped(text) + after, 'i');
  return (value) => pattern.test(value);
}

function compareTest(operator, bound) {
  const numeric = bound !== '' && !Number.isNaN(Number(bound));
  return (value) => {
    if (operator === '=') return value === bound;
    const both = numeric && value !== '' && !Number.isNaN(Number(value));
    const order = both ? Number(value) - Number(bound) : value < bound ? -1 : value > bound ? 1 : 0;
    if (operator === '>') return order > 0;
    if (operator === '>=') return order >= 0;
    return operator === '<' ? order < 0 : order <= 0;
  };
}

function range(reader) {
  const start = reader.at;
  const match = /[[{]\s*(\S+)\s+TO\s+([^\s\]}]+)\s*[\]}]/y;
  match.lastIndex = start;
  const found = match.exec(reader.text);
  if (!found) reader.fail('expected a range such as [1 TO 5]');
  reader.at = match.lastIndex;
  const low =
    found[1] === '*' ? () => true : compareTest(found[0][0] === '[' ? '>=' : '>', found[1]);
  const closing = found[0].slice(-1);
  const high = found[2] === '*' ? () => true : compareTest(closing === ']' ? '<=' : '<', found[2]);
  return (value) => low(value) && high(value);
}

function value(reader, field) {
  reader.skip();
  const c = reader.peek();
  const any = (test) => (row) => valuesOf(row, field).some(test);
  if (c === '"') return any(phraseTest(reader.until('"', 'phrase'), false));
  if (c === '/') {
    const start = reader.at;
    const source = reader.until('/', 'regular expression');
    try {
      const pattern = new RegExp(
        source.replace(/^\(\?i\)/, ''),
        source.startsWith('(?i)') ? 'i' : '',
      );
      return any((each) => pattern.test(each));
    } catch (error) {
      return reader.fail(`this regular expression is wrong: ${error.message}`, start);
    }
  }
  if (field !== null && (c === '[' || c === '{')) return any(range(reader));
  const operator = field !== null && /^(>=|<=|[><=])/.exec(reader.text.slice(reader.at));
  if (operator) {
    reader.at += operator[0].length;
    reader.skip();
    const bound = reader.peek() === '"' ? reader.until('"', 'phrase') : reader.word();
    if (bound === '') reader.fail(`expected a value after ${operator[0]}`);
    return any(compareTest(operator[0], bound));
  }
  const word = reader.word();
  if (word === '') reader.fail('expected a word, a phrase or a group');
  if (word === '*') return field === null ? () => true : (row) => valuesOf(row, field).length > 0;
  const prefix = word.endsWith('*');
  return any(phraseTest(prefix ? word.slice(0, -1) : word, prefix));
}

function primary(reader) {
  reader.skip();
  if (reader.peek() === '(') {
    const start = reader.at++;
    const inner = or(reader);
    reader.skip();
    if (reader.peek() !== ')') reader.fail('expected ) to close this group', start);
    ++reader.at;
    return inner;
  }
  const before = reader.at;
  const name = /[A-Za-z0-9_.@/-]/.test(reader.peek()) ? reader.word() : '';
  if (name !== '' && reader.peek() === ':') {
    ++reader.at;
    if (/^\s|^$/.test(reader.peek())) reader.fail('expected a value after the colon');
    return value(reader, name);
  }
  reader.at = before;
  return value(reader, null);
}

function not(reader) {
  reader.skip();
  const minus = reader.peek() === '-' && /\S/.test(reader.text[reader.at + 1] ?? '');
  if (minus) ++reader.at;
  if (!minus && !reader.keyword('NOT')) return primary(reader);
  const inner = primary(reader);
  return (row) => !inner(row);
}

function and(reader) {
  let left = not(reader);
  for (;;) {
    const explicit = reader.keyword('AND');
    reader.skip();
    const mark = reader.at;
    if (!explicit && (reader.at >= reader.text.length || reader.peek() === ')')) return left;
    if (!explicit && reader.keyword('OR')) {
      reader.at = mark;
      return left;
    }
    const first = left;
    const second = not(reader);
    left = (row) => first(row) && second(row);
  }
}

function or(reader) {
  let left = and(reader);
  while (reader.keyword('OR')) {
    const first = left;
    const second = and(reader);
    left = (row) => first(row) || second(row);
  }
  return left;
}

// Gives a predicate over rows; throws QueryError.
export function compile(text) {
  const reader = new Reader(text);
  reader.skip();
  if (reader.at >= text.length) return () => true;
  const test = or(reader);
  reader.skip();
  if (reader.at < text.length) reader.fail('expected the end of the query');
  return test;
}
