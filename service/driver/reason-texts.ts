/** The texts of WLAN_REASON_CODEs: Windows' own, asked for once each. */
import { wlanReasonCodeName } from '../../native/reason-codes.js';
import type { Wlanapi } from '../../native/wlanapi.js';

/** No more texts than there are documented codes are kept; a peer could otherwise make us keep 2³². */
const TEXTS_MAX = 256;

export class ReasonTexts {
  readonly #wlanapi: Wlanapi;
  readonly #texts = new Map<number, string>();

  constructor(wlanapi: Wlanapi) {
    this.#wlanapi = wlanapi;
  }

  /** The text, else the documented name, else nothing. */
  async of(reasonCode: number): Promise<string> {
    const known = this.#texts.get(reasonCode);
    if (known !== undefined) return known;
    const { code, stringBuffer } = await this.#wlanapi
      .WlanReasonCodeToString(reasonCode)
      .catch(() => ({ code: 1, stringBuffer: '' }));
    const text = code === 0 && stringBuffer !== '' ? stringBuffer : (wlanReasonCodeName(reasonCode) ?? '');
    if (this.#texts.size < TEXTS_MAX) this.#texts.set(reasonCode, text);
    return text;
  }
}
