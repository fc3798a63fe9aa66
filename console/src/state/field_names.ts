// The fields that a logstore's newest rows have, for completion. Loaded once per logstore, when somebody first
// types; the field list of the search page adds what it finds.
//
// Errors:  a failed load is as if there were no fields; the next logstore tries again.
import { ApiError, isAbort, type ApiClient, type StoreName } from '../api/client';
import { fieldOf, fieldsOf } from '../api/statistics';

// Names are wanted, not figures: few rows will do.
const kRowsLooked = 20_000;
const kValuesMax = 20;
const kSpan = '-24h';

export class FieldNames {
  private readonly known = new Map<string, Promise<string[]>>();

  constructor(private readonly api: ApiClient) {}

  of(store: StoreName): Promise<string[]> {
    const key = `${store.project}/${store.logstore}`;
    let names = this.known.get(key);
    if (!names) this.known.set(key, (names = this.load(store, key)));
    return names;
  }

  put(store: StoreName, names: string[]): void {
    this.known.set(`${store.project}/${store.logstore}`, Promise.resolve(names));
  }

  // Values of a field that begin with `prefix`, most frequent first.
  async values(
    store: StoreName,
    name: string,
    prefix: string,
    signal: AbortSignal,
  ): Promise<Array<{ value: string; rows: number }>> {
    try {
      const call = { ...store, query: '', from: kSpan, to: '', name, prefix, top: kValuesMax };
      return (await fieldOf(this.api, call, signal)).top;
    } catch (error) {
      if (isAbort(error) || error instanceof ApiError) return [];
      throw error;
    }
  }

  private async load(store: StoreName, key: string): Promise<string[]> {
    try {
      const call = { ...store, query: '', from: kSpan, to: '', rows: kRowsLooked };
      const { fields } = await fieldsOf(this.api, call, new AbortController().signal);
      return fields.map(({ name }) => name);
    } catch (error) {
      this.known.delete(key);
      if (error instanceof ApiError) return [];
      throw error;
    }
  }
}
