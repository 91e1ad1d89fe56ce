/** The texts of WLAN_REASON_CODEs, as Windows gives them. Each is asked for once. */
import { wlanReasonCodeName } from '../../native/reason-codes.js';
import type { Wlanapi } from '../../native/wlanapi.js';
import type { NativeCalls } from './native-calls.js';

/**
 * The number of documented codes. Without a bound, a peer could make the cache grow to 2³² texts.
 */
const TEXTS_MAX = 256;

export class ReasonTexts {
  readonly #wlanapi: Wlanapi;
  readonly #calls: NativeCalls;
  readonly #texts = new Map<number, string>();

  constructor(wlanapi: Wlanapi, calls: NativeCalls) {
    this.#wlanapi = wlanapi;
    this.#calls = calls;
  }

  /** The text of a code, otherwise its documented name, otherwise an empty string. */
  async of(reasonCode: number): Promise<string> {
    const known = this.#texts.get(reasonCode);
    if (known !== undefined) return known;
    const answer = await this.#calls.ask('WlanReasonCodeToString', () =>
      this.#wlanapi.WlanReasonCodeToString(reasonCode),
    );
    const given = answer?.code === 0 ? answer.stringBuffer : '';
    const text = given === '' ? (wlanReasonCodeName(reasonCode) ?? '') : given;
    if (answer !== undefined && this.#texts.size < TEXTS_MAX) this.#texts.set(reasonCode, text);
    return text;
  }
}
