/** The texts of WLAN_REASON_CODEs: Windows' own, asked for once each. */
import { wlanReasonCodeName } from '../../native/reason-codes.js';
import type { Wlanapi } from '../../native/wlanapi.js';
import type { NativeCalls } from './native-calls.js';

/** No more texts than there are documented codes are kept; a peer could otherwise make us keep 2³². */
const TEXTS_MAX = 256;

export class ReasonTexts {
  readonly #wlanapi: Wlanapi;
  readonly #calls: NativeCalls;
  readonly #texts = new Map<number, string>();

  constructor(wlanapi: Wlanapi, calls: NativeCalls) {
    this.#wlanapi = wlanapi;
    this.#calls = calls;
  }

  /** The text, else the documented name, else nothing. */
  async of(reasonCode: number): Promise<string> {
    const known = this.#texts.get(reasonCode);
    if (known !== undefined) return known;
    const answer = await this.#calls.ask('WlanReasonCodeToString', () =>
      this.#wlanapi.WlanReasonCodeToString(reasonCode),
    );
    const told = answer?.code === 0 ? answer.stringBuffer : '';
    const text = told === '' ? (wlanReasonCodeName(reasonCode) ?? '') : told;
    if (answer !== undefined && this.#texts.size < TEXTS_MAX) this.#texts.set(reasonCode, text);
    return text;
  }
}
