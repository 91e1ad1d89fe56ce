/** The texts of reason codes: Windows' own where it tells them, and soon. */
import test from 'ava';
import type { Wlanapi } from '../../native/wlanapi.js';
import { NativeCalls } from '../../service/driver/native-calls.js';
import { ReasonTexts } from '../../service/driver/reason-texts.js';

/** WLAN_REASON_CODE_NETWORK_NOT_AVAILABLE */
const KNOWN = 0x2800b;
const NAME = 'WLAN_REASON_CODE_NETWORK_NOT_AVAILABLE';

function make(answer: () => Promise<{ code: number; stringBuffer: string }>) {
  const asked: number[] = [];
  const wlanapi = {
    WlanReasonCodeToString(code: number) {
      asked.push(code);
      return answer();
    },
  } as unknown as Wlanapi;
  const observer = { onNativeReturned: () => {}, onNativeSlow: () => {} };
  const calls = new NativeCalls({ nativeCallsMax: 4, slowCallsMax: 1, nativeCallWarnMs: 60_000 }, observer);
  return { texts: new ReasonTexts(wlanapi, calls), asked };
}

test('a text is asked for once', async (t) => {
  const { texts, asked } = make(async () => ({ code: 0, stringBuffer: 'Das Netzwerk ist nicht da.' }));
  t.is(await texts.of(KNOWN), 'Das Netzwerk ist nicht da.');
  t.is(await texts.of(KNOWN), 'Das Netzwerk ist nicht da.');
  t.deepEqual(asked, [KNOWN]);
});

test('where Windows has no text there is the documented name, and of other codes nothing', async (t) => {
  const { texts } = make(async () => ({ code: 87, stringBuffer: '' }));
  t.is(await texts.of(KNOWN), NAME);
  t.is(await texts.of(0xffff_fff0), '');
});

test('a text that Windows does not tell soon is done without, and asked for again', async (t) => {
  let tell = () => {};
  const hanging = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const { texts, asked } = make(async () => {
    await hanging;
    return { code: 0, stringBuffer: 'late' };
  });
  t.is(await texts.of(KNOWN), NAME);
  tell();
  await new Promise(setImmediate);
  t.is(await texts.of(KNOWN), 'late');
  t.deepEqual(asked, [KNOWN, KNOWN]);
});
