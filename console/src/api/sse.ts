// Reads server-sent events from a stream of text, in pieces as they arrive.
//
// Place:  api/client.ts feeds it from fetch (EventSource hides the status and body of a refusal).
// Limits: an event over kEventCharsMax is given up, so that a broken sender cannot fill memory.
export interface ServerEvent {
  event: string;
  data: string;
}

const kEventCharsMax = 8 * 1024 * 1024;

export class EventParser {
  private rest = '';
  private event = '';
  private data: string[] = [];
  private chars = 0;

  // Takes the next piece and gives the events it completes. Comments give nothing.
  push(piece: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = (this.rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? '';
    if (this.rest.length > kEventCharsMax) this.rest = '';
    for (const line of lines) this.takeLine(line, events);
    return events;
  }

  private takeLine(line: string, events: ServerEvent[]): void {
    if (line === '') {
      if (this.data.length > 0 && this.chars <= kEventCharsMax) {
        events.push({ event: this.event || 'message', data: this.data.join('\n') });
      }
      this.event = '';
      this.data = [];
      this.chars = 0;
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.event = value;
    if (name === 'data') {
      this.chars += value.length;
      if (this.chars <= kEventCharsMax) this.data.push(value);
    }
  }
}
