// Terminal colours in log lines: the escape sequences become spans with a class name each, everything else
// that starts with ESC is left out. Text stays text.
export interface AnsiSpan {
  text: string;
  // Class names, empty for plain text.
  look: string;
}

interface Look {
  colour: number; // 0 to 15; -1: none
  bold: boolean;
  faint: boolean;
  italic: boolean;
  underline: boolean;
}

const kPlain: Look = { colour: -1, bold: false, faint: false, italic: false, underline: false };
const kEscape =
  /\u001b(?:\[([0-9;:]*)m|\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;

export function hasAnsi(text: string): boolean {
  return text.includes('\u001b');
}

export function stripAnsi(text: string): string {
  return hasAnsi(text) ? text.replace(kEscape, '') : text;
}

// The nearest of the sixteen colours, so that both themes can show it readably.
function nearest(red: number, green: number, blue: number): number {
  const top = Math.max(red, green, blue);
  if (top < 48) return 0;
  const part = (value: number) => (value > top / 2 ? 1 : 0);
  const colour = part(red) + 2 * part(green) + 4 * part(blue);
  return top > 170 ? colour + 8 : colour;
}

function colourOf256(index: number): number {
  if (index < 16) return index;
  if (index >= 232) return index < 244 ? 8 : 7;
  const cube = index - 16;
  const part = (value: number) => (value === 0 ? 0 : 55 + value * 40);
  return nearest(part(Math.floor(cube / 36)), part(Math.floor(cube / 6) % 6), part(cube % 6));
}

// 38;5;N and 38;2;R;G;B: how many codes they take, and the colour.
function extended(codes: readonly number[], at: number): { taken: number; colour: number } {
  if (codes[at + 1] === 5) return { taken: 2, colour: colourOf256(codes[at + 2] ?? 0) };
  if (codes[at + 1] !== 2) return { taken: 0, colour: -1 };
  const [red = 0, green = 0, blue = 0] = codes.slice(at + 2, at + 5);
  return { taken: 4, colour: nearest(red, green, blue) };
}

function changed(look: Look, codes: readonly number[]): Look {
  let next = { ...look };
  for (let at = 0; at < codes.length; ++at) {
    const code = codes[at]!;
    if (code === 0) next = { ...kPlain };
    else if (code === 1) next.bold = true;
    else if (code === 2) next.faint = true;
    else if (code === 3) next.italic = true;
    else if (code === 4) next.underline = true;
    else if (code === 22) next.bold = next.faint = false;
    else if (code === 23) next.italic = false;
    else if (code === 24) next.underline = false;
    else if (code >= 30 && code <= 37) next.colour = code - 30;
    else if (code === 39) next.colour = -1;
    else if (code >= 90 && code <= 97) next.colour = code - 82;
    else if (code === 38 || code === 48) {
      const { taken, colour } = extended(codes, at);
      if (code === 38) next.colour = colour;
      at += taken;
    }
  }
  return next;
}

function lookText({ colour, bold, faint, italic, underline }: Look): string {
  const names = [
    colour >= 0 ? `ansi-${colour}` : '',
    bold ? 'ansi-bold' : '',
    faint ? 'ansi-faint' : '',
    italic ? 'ansi-italic' : '',
    underline ? 'ansi-underline' : '',
  ];
  return names.filter(Boolean).join(' ');
}

// Spans without gaps; their texts joined are stripAnsi(text).
export function ansiSpans(text: string): AnsiSpan[] {
  if (!hasAnsi(text)) return [{ text, look: '' }];
  const spans: AnsiSpan[] = [];
  let look = kPlain;
  let at = 0;
  const push = (piece: string) => piece !== '' && spans.push({ text: piece, look: lookText(look) });
  for (const match of text.matchAll(kEscape)) {
    push(text.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[1] !== undefined) look = changed(look, match[1].split(/[;:]/).map(Number));
  }
  push(text.slice(at));
  return spans.length > 0 ? spans : [{ text: '', look: '' }];
}
